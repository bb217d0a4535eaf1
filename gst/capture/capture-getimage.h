// SPDX-License-Identifier: LGPL-2.1-or-later
// Pixels through the socket: slow, but it works with every X server, remote ones too.
#pragma once

#include <memory>

#include "capture/frame-source.h"
#include "common/x11.h"

namespace vitrine {

std::unique_ptr<FrameSource> open_getimage_source(X11Connection& connection, Drawable drawable);

}  // namespace vitrine
