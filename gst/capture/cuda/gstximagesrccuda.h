// SPDX-License-Identifier: LGPL-2.1-or-later
// The element ximagesrc-cuda.
#pragma once

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

#define VITRINE_TYPE_XIMAGE_SRC_CUDA (vitrine_ximage_src_cuda_get_type())
G_DECLARE_FINAL_TYPE(VitrineXImageSrcCuda, vitrine_ximage_src_cuda, VITRINE, XIMAGE_SRC_CUDA, GstPushSrc)

GST_ELEMENT_REGISTER_DECLARE(ximagesrc_cuda)

G_END_DECLS
