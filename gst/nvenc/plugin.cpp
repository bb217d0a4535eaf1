// SPDX-License-Identifier: LGPL-2.1-or-later
// The plugin nvstream.
#include <gst/cuda/gstcudamemory.h>

#include "nvenc/gstnvstreamenc.h"
#include "common/cuda-driver.h"

static gboolean plugin_init(GstPlugin* plugin) {
  std::string why_not;
  if (vitrine::CudaDriver::get(&why_not)) {
    gst_cuda_memory_init_once();
  } else {
#if GST_CHECK_VERSION(1, 24, 0)
    gst_plugin_add_status_warning(plugin, why_not.c_str());
#else
    GST_WARNING("nvstreamenc cannot be used: %s", why_not.c_str());
#endif
  }
  return GST_ELEMENT_REGISTER(nvstreamenc, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, nvstream, "NVENC for live streams", plugin_init,
                  PACKAGE_VERSION, "LGPL", "vitrine", "https://vitrine.invalid/")
