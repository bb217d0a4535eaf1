// SPDX-License-Identifier: LGPL-2.1-or-later
// Playout-delay extension: 12 bits minimum and 12 bits maximum in units of 10 ms, both 0 here ("decode and render on arrival").
#include "webrtc/gstplayoutdelay.h"

#include <string.h>

struct _GstPlayoutDelay {
  GstRTPHeaderExtension parent;
};

G_DEFINE_TYPE(GstPlayoutDelay, gst_playout_delay, GST_TYPE_RTP_HEADER_EXTENSION)

static constexpr gsize kSize = 3;

static GstRTPHeaderExtensionFlags supported_flags(GstRTPHeaderExtension*) {
  return static_cast<GstRTPHeaderExtensionFlags>(GST_RTP_HEADER_EXTENSION_ONE_BYTE | GST_RTP_HEADER_EXTENSION_TWO_BYTE);
}

static gsize max_size(GstRTPHeaderExtension*, const GstBuffer*) { return kSize; }

static gssize write_extension(GstRTPHeaderExtension*, const GstBuffer*, GstRTPHeaderExtensionFlags, GstBuffer*,
                              guint8* data, gsize size) {
  if (size < kSize)
    return -1;
  memset(data, 0, kSize);
  return kSize;
}

static gboolean read_extension(GstRTPHeaderExtension*, GstRTPHeaderExtensionFlags, const guint8*, gsize, GstBuffer*) {
  return TRUE;
}

static void gst_playout_delay_class_init(GstPlayoutDelayClass* klass) {
  auto* extension = GST_RTP_HEADER_EXTENSION_CLASS(klass);
  extension->get_supported_flags = supported_flags;
  extension->get_max_size = max_size;
  extension->write = write_extension;
  extension->read = read_extension;
  extension->set_caps_from_attributes = [](GstRTPHeaderExtension* ext, GstCaps* caps) -> gboolean {
    return gst_rtp_header_extension_set_caps_from_attributes_helper(ext, caps, nullptr);
  };
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Playout delay", GST_RTP_HDREXT_ELEMENT_CLASS,
                                        "Asks the receiver to show frames without delay", "The Vitrine developers");
  gst_rtp_header_extension_class_set_uri(extension, VITRINE_PLAYOUT_DELAY_URI);
}

static void gst_playout_delay_init(GstPlayoutDelay*) {}
