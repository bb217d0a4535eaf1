// SPDX-License-Identifier: LGPL-2.1-or-later
// Stands where GStreamer's headers look for the CUDA toolkit's cuda.h: the driver's types from the MIT-licensed headers
// of Debian's libffmpeg-nvenc-dev, and the few that these lack. Values and names: CUDA Driver API reference.
#pragma once

#include <ffnvcodec/dynlink_cuda.h>

typedef enum CUgraphicsMapResourceFlags_enum {
  CU_GRAPHICS_MAP_RESOURCE_FLAGS_NONE = 0,
  CU_GRAPHICS_MAP_RESOURCE_FLAGS_READ_ONLY = 1,
  CU_GRAPHICS_MAP_RESOURCE_FLAGS_WRITE_DISCARD = 2,
} CUgraphicsMapResourceFlags;

#define CU_MEMHOSTALLOC_PORTABLE 0x01
#define CU_MEMHOSTALLOC_DEVICEMAP 0x02
#define CU_MEMHOSTREGISTER_PORTABLE 0x01
#define CU_MEMHOSTREGISTER_DEVICEMAP 0x02
