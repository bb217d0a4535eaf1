// SPDX-License-Identifier: LGPL-2.1-or-later
// The plugin nvstream.
#include "common/cuda-driver.h"
#include "common/text.h"
#include "nvenc/gstnvstreamenc.h"

static gboolean plugin_init(GstPlugin* plugin) {
  vitrine::bind_texts();
  vitrine::prepare_cuda_plugin(plugin);
  return GST_ELEMENT_REGISTER(nvstreamenc, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, nvstream, "NVENC for live streams", plugin_init,
                  PACKAGE_VERSION, "LGPL", "vitrine", "https://vitrine.invalid/")
