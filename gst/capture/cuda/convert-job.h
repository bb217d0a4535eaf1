/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One launch of a conversion kernel. Read by C++ and by the OpenCL C of convert.cl. */
#ifndef VITRINE_CONVERT_JOB_H
#define VITRINE_CONVERT_JOB_H

/* As many rectangles as one launch takes; each layer of the grid works on one. */
#define VITRINE_CONVERT_RECTS 32

/* Threads of a block; each makes 2x2 pixels. */
#define VITRINE_CONVERT_BLOCK_X 32
#define VITRINE_CONVERT_BLOCK_Y 8

struct VitrineConvertRect {
  unsigned long source;     /* device address of the pixel for (x, y), 4 bytes aligned */
  unsigned int stride;      /* bytes between the source's rows */
  int x, y, width, height;  /* in the picture; x and y are even */
  int unused;
};

struct VitrineConvertJob {
  unsigned long luma; /* device address of the picture's first plane */
  unsigned long chroma;
  int luma_stride;
  int chroma_stride;
  unsigned int or_mask; /* set in every pixel that stays BGRx */
  int unused;
  struct VitrineConvertRect rects[VITRINE_CONVERT_RECTS];
};

#endif
