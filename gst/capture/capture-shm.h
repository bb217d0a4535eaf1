// SPDX-License-Identifier: LGPL-2.1-or-later
// Pixels by MIT-SHM: the server copies just the wanted rectangles into memory that both share.
#pragma once

#include <memory>
#include <string>

#include "capture/frame-source.h"
#include "common/x11.h"

namespace vitrine {

/// `size` is the most that one read will ask for. Null, with the reason in `why_not`, where the server cannot
/// share memory with us.
std::unique_ptr<FrameSource> open_shm_source(X11Connection& connection, Drawable drawable, Size size,
                                             std::string* why_not);

}  // namespace vitrine
