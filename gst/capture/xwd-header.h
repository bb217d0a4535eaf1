// SPDX-License-Identifier: LGPL-2.1-or-later
// The header that Xvfb writes in front of its framebuffer, read without trust.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "capture/geometry.h"

namespace vitrine {

struct XwdFramebuffer {
  size_t pixels = 0;  // offset of the first pixel
  size_t stride = 0;
  Size size;
  std::string name;  // "Xvfb HOST:DISPLAY.SCREEN"
};

/// Reads the header in `data`, of which `bytes` are there. Nothing, with the reason in `why_not`, unless it
/// describes a 32 bits per pixel BGRx framebuffer that lies inside these bytes as a whole.
std::optional<XwdFramebuffer> parse_xwd_header(const uint8_t* data, size_t bytes, std::string* why_not);

}  // namespace vitrine
