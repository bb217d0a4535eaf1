// SPDX-License-Identifier: LGPL-2.1-or-later
// Pixels straight out of Xvfb's own framebuffer (Xvfb -shmem or -fbdir): nothing is copied by the server.
#pragma once

#include <memory>
#include <string>

#include "capture/frame-source.h"
#include "common/x11.h"

namespace vitrine {

/// Finds the framebuffer of the connection's default screen. Null, with the reason in `why_not`, where there
/// is none that we may read and trust.
///
/// `writable` maps it for writing too, which nobody here does, but which CUDA wants of memory it pins.
///
/// A SysV segment is marked for removal, so that the server's end frees it (Xvfb itself never does). While
/// the source lives the server draws no pointer of its own, which would otherwise be in the framebuffer.
std::unique_ptr<FrameSource> open_fb_source(X11Connection& connection, bool writable, std::string* why_not);

}  // namespace vitrine
