// SPDX-License-Identifier: LGPL-2.1-or-later
// What a browser says by RTCP when it has lost the picture (PLI, FIR), as rtpsession passes it on.
#pragma once

#include <gst/gst.h>

#include <functional>

namespace vitrine {

/// `lost` is called for each request that comes upstream through `pad`, on whatever thread it comes.
void watch_keyframe_requests(GstPad* pad, std::function<void()> lost);

}  // namespace vitrine
