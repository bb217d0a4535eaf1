// SPDX-License-Identifier: LGPL-2.1-or-later
// Plugin x11remote: what goes from a viewer to the X display and back.
#include <gst/gst.h>

#include "common/text.h"

gboolean vitrine_register_virtualgamepads(GstPlugin* plugin);
gboolean vitrine_register_x11desktop(GstPlugin* plugin);
gboolean vitrine_register_x11inputsink(GstPlugin* plugin);

static gboolean plugin_init(GstPlugin* plugin) {
  vitrine::bind_texts();
  return vitrine_register_x11inputsink(plugin) && vitrine_register_x11desktop(plugin) && vitrine_register_virtualgamepads(plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, x11remote, "Input, clipboard, pointer and size of X displays; gamepads", plugin_init, PACKAGE_VERSION, "LGPL",
                  "vitrine", "https://vitrine.invalid/")
