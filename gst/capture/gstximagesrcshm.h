// SPDX-License-Identifier: LGPL-2.1-or-later
// The element ximagesrc-shm.
#pragma once

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

#define VITRINE_TYPE_XIMAGE_SRC_SHM (vitrine_ximage_src_shm_get_type())
G_DECLARE_FINAL_TYPE(VitrineXImageSrcShm, vitrine_ximage_src_shm, VITRINE, XIMAGE_SRC_SHM, GstPushSrc)

GST_ELEMENT_REGISTER_DECLARE(ximagesrc_shm)

G_END_DECLS
