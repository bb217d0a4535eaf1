// SPDX-License-Identifier: LGPL-2.1-or-later
// What the kernel would answer to an ioctl() on a gamepad. Pure, and without the C++ library: it goes into every program.
#pragma once

#include "remote/gamepad/pad-abi.h"

namespace vitrine {

/// Fills what `argument` points to and returns what ioctl() returns, or a negative errno. Only questions; what changes something is
/// not known here.
int answer_event_ioctl(const pad_abi::PadPage& page, unsigned long request, void* argument);
int answer_joystick_ioctl(const pad_abi::PadPage& page, unsigned long request, void* argument);

/// An effect as motors play it; false for kinds that are not played.
bool pad_effect_of(const ff_effect& effect, pad_abi::PadEffect& made);

}  // namespace vitrine
