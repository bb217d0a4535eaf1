/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conversion of damaged rectangles on the GPU, the same bytes as row-bt709.cpp makes on the CPU.
 *
 * OpenCL C, since clang makes PTX of it without a CUDA toolkit. The fake driver of the tests compiles this very
 * file as C++ (tests/fakes/cuda), so keep to what both languages have. */
#include "convert-job.h"

#ifndef VITRINE_HOST
#define GLOBAL __global
#define KERNEL __kernel
#define BLOCK_X __nvvm_read_ptx_sreg_ctaid_x()
#define BLOCK_Y __nvvm_read_ptx_sreg_ctaid_y()
#define BLOCK_Z __nvvm_read_ptx_sreg_ctaid_z()
#define THREAD_X __nvvm_read_ptx_sreg_tid_x()
#define THREAD_Y __nvvm_read_ptx_sreg_tid_y()
#endif

struct Block {
  unsigned int top[2];
  unsigned int bottom[2];
};

/* The 2x2 pixels at (x, y) of the rectangle; what lies past its right or bottom edge repeats the edge. */
static struct Block load(unsigned long source, unsigned int stride, int x, int y, int width, int height) {
  struct Block block;
  const unsigned long top = source + (unsigned long)y * stride + (unsigned long)x * 4;
  const unsigned long bottom = y + 1 < height ? top + stride : top;
  if (x + 1 < width && ((top | bottom) & 7) == 0) {
    /* One access of 8 bytes: over the bus each byte is to come once. */
    const unsigned long pair = *(const GLOBAL unsigned long*)top;
    const unsigned long below = *(const GLOBAL unsigned long*)bottom;
    block.top[0] = (unsigned int)pair;
    block.top[1] = (unsigned int)(pair >> 32);
    block.bottom[0] = (unsigned int)below;
    block.bottom[1] = (unsigned int)(below >> 32);
  } else {
    const int next = x + 1 < width ? 1 : 0;
    block.top[0] = ((const GLOBAL unsigned int*)top)[0];
    block.top[1] = ((const GLOBAL unsigned int*)top)[next];
    block.bottom[0] = ((const GLOBAL unsigned int*)bottom)[0];
    block.bottom[1] = ((const GLOBAL unsigned int*)bottom)[next];
  }
  return block;
}

static int channel(unsigned int pixel, int shift) {
  return (int)(pixel >> shift & 0xff);
}

static unsigned char luma(unsigned int pixel) {
  return (unsigned char)(((16 * channel(pixel, 0) + 157 * channel(pixel, 8) + 47 * channel(pixel, 16) + 128) >> 8) +
                         16);
}

static int average(int a, int b) {
  return (a + b + 1) >> 1;
}

static int mean(struct Block block, int shift) {
  return average(average(channel(block.top[0], shift), channel(block.bottom[0], shift)),
                 average(channel(block.top[1], shift), channel(block.bottom[1], shift)));
}

KERNEL void vitrine_bgrx_to_nv12(struct VitrineConvertJob job) {
  const unsigned int which = BLOCK_Z;
  const int width = job.rects[which].width;
  const int height = job.rects[which].height;
  const int x = (int)(BLOCK_X * VITRINE_CONVERT_BLOCK_X + THREAD_X) * 2;
  const int y = (int)(BLOCK_Y * VITRINE_CONVERT_BLOCK_Y + THREAD_Y) * 2;
  if (x >= width || y >= height)
    return;
  const struct Block block = load(job.rects[which].source, job.rects[which].stride, x, y, width, height);

  const int picture_x = job.rects[which].x + x;
  const int picture_y = job.rects[which].y + y;
  GLOBAL unsigned char* row =
      (GLOBAL unsigned char*)(job.luma + (unsigned long)picture_y * job.luma_stride + picture_x);
  row[0] = luma(block.top[0]);
  if (x + 1 < width)
    row[1] = luma(block.top[1]);
  if (y + 1 < height) {
    row += job.luma_stride;
    row[0] = luma(block.bottom[0]);
    if (x + 1 < width)
      row[1] = luma(block.bottom[1]);
  }

  const int b = mean(block, 0);
  const int g = mean(block, 8);
  const int r = mean(block, 16);
  GLOBAL unsigned char* uv =
      (GLOBAL unsigned char*)(job.chroma + (unsigned long)(picture_y / 2) * job.chroma_stride + picture_x);
  uv[0] = (unsigned char)((112 * b - 86 * g - 26 * r + 0x8080) >> 8);
  uv[1] = (unsigned char)((-10 * b - 102 * g + 112 * r + 0x8080) >> 8);
}

KERNEL void vitrine_bgrx_copy(struct VitrineConvertJob job) {
  const unsigned int which = BLOCK_Z;
  const int width = job.rects[which].width;
  const int height = job.rects[which].height;
  const int x = (int)(BLOCK_X * VITRINE_CONVERT_BLOCK_X + THREAD_X) * 2;
  const int y = (int)(BLOCK_Y * VITRINE_CONVERT_BLOCK_Y + THREAD_Y) * 2;
  if (x >= width || y >= height)
    return;
  const struct Block block = load(job.rects[which].source, job.rects[which].stride, x, y, width, height);

  GLOBAL unsigned int* row = (GLOBAL unsigned int*)(job.luma +
                                                    (unsigned long)(job.rects[which].y + y) * job.luma_stride +
                                                    (unsigned long)(job.rects[which].x + x) * 4);
  row[0] = block.top[0] | job.or_mask;
  if (x + 1 < width)
    row[1] = block.top[1] | job.or_mask;
  if (y + 1 < height) {
    row += job.luma_stride / 4;
    row[0] = block.bottom[0] | job.or_mask;
    if (x + 1 < width)
      row[1] = block.bottom[1] | job.or_mask;
  }
}
