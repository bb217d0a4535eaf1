// SPDX-License-Identifier: LGPL-2.1-or-later
// Which paths and descriptors are gamepads of the session, and how one is opened. No state but the folder's name: what a descriptor is
// follows from the socket that it is connected to, so copies and inherited ones need no bookkeeping.
#pragma once

#include <limits.h>

#include "remote/gamepad/pad-abi.h"

namespace vitrine {

struct PadDevice {
  unsigned pad = 0;
  bool joystick = false;
};

/// Whether this process has gamepads at all.
bool pads_here();

/// A path under /dev/input, or that itself, as the path that stands for it; null for every other. `room` holds the result.
const char* redirected(const char* path, char (&room)[PATH_MAX]);

/// The device that a path under /dev/input names, or a name in a descriptor's folder if that is ours.
bool device_of_path(int folder, const char* path, PadDevice& device);
/// The device behind a descriptor.
bool device_of_fd(int fd, PadDevice& device);

/// As open() does: a descriptor, or -1 with errno.
int open_device(const PadDevice& device, int flags);

bool read_page(const PadDevice& device, pad_abi::PadPage& page);

unsigned device_minor(const PadDevice& device);

}  // namespace vitrine
