// SPDX-License-Identifier: LGPL-2.1-or-later
// The plugin ximagecuda.
#include "common/cuda-driver.h"
#include "common/text.h"
#include "capture/cuda/gstximagesrccuda.h"

static gboolean plugin_init(GstPlugin* plugin) {
  vitrine::bind_texts();
  vitrine::prepare_cuda_plugin(plugin);
  return GST_ELEMENT_REGISTER(ximagesrc_cuda, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, ximagecuda, "X11 capture into CUDA memory", plugin_init,
                  PACKAGE_VERSION, "LGPL", "vitrine", "https://vitrine.invalid/")
