// SPDX-License-Identifier: LGPL-2.1-or-later
// x11desktop as the settings want it: clipboard, pointer and size of the display. Pure.
#pragma once

#include <string>
#include <vector>

#include "pipeline-model.h"

namespace vitrine {

/// The element; without a factory if all of it is switched off.
ModelElement desktop_element(const Settings& settings, const std::string& display);

/// Whether viewers draw the pointer, so that capture must not.
bool viewers_draw_pointer(const Settings& settings);

/// Sets `show-pointer`, if a capture element has it, to what that means.
void set_pointer(const Settings& settings, ModelElement& capture);

/// How large the framebuffer of a private X server of `size` has to be: RandR cannot make Xvfb's larger than it was at first.
Size framebuffer_size(const Settings& settings, Size size);

}  // namespace vitrine
