// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether programs see the devices that are made by uinput: in a container the kernel makes them, but nobody puts their nodes into /dev/input,
// and outside of one they may belong to a group that the user is not in.
#pragma once

#include <string>

namespace vitrine {

/// What is looked at; tests put their own in its place.
struct UInputView {
  std::string uinput = "/dev/uinput", sysfs = "/sys/devices/virtual/input", nodes = "/dev/input";
  int (*ioctl)(int fd, unsigned long request, void* argument) = nullptr;  // null: the system's
  int wait_ms = 500;                                                      // udev takes a moment
};

/// Makes a gamepad, looks whether this user may open its node, and takes it away again. False, with the reason in `why_not`.
bool uinput_devices_are_seen(const UInputView& view, std::string& why_not);

}  // namespace vitrine
