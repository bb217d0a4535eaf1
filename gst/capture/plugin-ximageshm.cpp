// SPDX-License-Identifier: LGPL-2.1-or-later
// The plugin ximageshm.
#include "capture/gstximagesrcshm.h"
#include "common/text.h"

static gboolean plugin_init(GstPlugin* plugin) {
  vitrine::bind_texts();
  return GST_ELEMENT_REGISTER(ximagesrc_shm, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, ximageshm, "X11 capture that costs only what changed",
                  plugin_init, PACKAGE_VERSION, "LGPL", "vitrine", "https://vitrine.invalid/")
