// SPDX-License-Identifier: LGPL-2.1-or-later
// The conversion kernels, compiled for the host from the very file that PTX is made of.
#include "kernels.h"

namespace {

thread_local unsigned block_x, block_y, block_z, thread_x, thread_y;

}  // namespace

#define VITRINE_HOST
#define GLOBAL
#define KERNEL static
#define BLOCK_X block_x
#define BLOCK_Y block_y
#define BLOCK_Z block_z
#define THREAD_X thread_x
#define THREAD_Y thread_y
#include "convert.cl"

namespace vitrine {

HostKernel find_host_kernel(const std::string& name) {
  if (name == "vitrine_bgrx_to_nv12")
    return vitrine_bgrx_to_nv12;
  if (name == "vitrine_bgrx_copy")
    return vitrine_bgrx_copy;
  return nullptr;
}

void run_host_kernel(HostKernel kernel, const VitrineConvertJob& job, const unsigned grid[3], const unsigned block[2]) {
  for (block_z = 0; block_z < grid[2]; block_z++)
    for (block_y = 0; block_y < grid[1]; block_y++)
      for (block_x = 0; block_x < grid[0]; block_x++)
        for (thread_y = 0; thread_y < block[1]; thread_y++)
          for (thread_x = 0; thread_x < block[0]; thread_x++)
            kernel(job);
}

}  // namespace vitrine
