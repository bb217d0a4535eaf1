// SPDX-License-Identifier: LGPL-2.1-or-later
// The element nvstreamenc.
#pragma once

#include <gst/video/gstvideoencoder.h>

G_BEGIN_DECLS

#define VITRINE_TYPE_NV_STREAM_ENC (vitrine_nv_stream_enc_get_type())
G_DECLARE_FINAL_TYPE(VitrineNvStreamEnc, vitrine_nv_stream_enc, VITRINE, NV_STREAM_ENC, GstVideoEncoder)

GST_ELEMENT_REGISTER_DECLARE(nvstreamenc)

G_END_DECLS
