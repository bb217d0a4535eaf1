// SPDX-License-Identifier: LGPL-2.1-or-later
// Making a device and looking for its node.
#include "uinput-view.h"

#include <dirent.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/uinput.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "text.h"

namespace vitrine {
namespace {

constexpr int kStepMs = 10;

int system_ioctl(int fd, unsigned long request, void* argument) { return ::ioctl(fd, request, argument); }

void* number(unsigned long value) { return reinterpret_cast<void*>(value); }

/// "event7" in an input device's folder of sysfs; empty if there is none.
std::string event_name(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(folder.c_str()), closedir);
  while (const dirent* entry = entries ? readdir(entries.get()) : nullptr)
    if (g_str_has_prefix(entry->d_name, "event"))
      return entry->d_name;
  return "";
}

}  // namespace

bool uinput_devices_are_seen(const UInputView& view, std::string& why_not) {
  const auto call = view.ioctl ? view.ioctl : system_ioctl;
  const int fd = open(view.uinput.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  uinput_setup setup{};
  setup.id = {BUS_VIRTUAL, 0, 0, 1};
  std::strcpy(setup.name, "Vitrine looks for its gamepads");
  // With fewer buttons and axes udev takes it for no joystick, and gives it to nobody.
  const auto set = [&](unsigned long request, unsigned long value) { return call(fd, request, number(value)) >= 0; };
  const bool made = fd >= 0 && set(UI_SET_EVBIT, EV_KEY) && set(UI_SET_EVBIT, EV_ABS) && set(UI_SET_KEYBIT, BTN_SOUTH) && set(UI_SET_KEYBIT, BTN_EAST) &&
                    set(UI_SET_ABSBIT, ABS_X) && set(UI_SET_ABSBIT, ABS_Y) && call(fd, UI_DEV_SETUP, &setup) >= 0 &&
                    call(fd, UI_DEV_CREATE, nullptr) >= 0;
  if (!made) {
    why_not = view.uinput + ": " + strerror(errno);
    if (fd >= 0)
      close(fd);
    return false;
  }
  char name[64] = "";
  call(fd, UI_GET_SYSNAME(sizeof name), name);
  std::string node;
  bool seen = false;
  for (int waited = 0; !seen && waited <= view.wait_ms; waited += kStepMs) {
    if (waited > 0)
      g_usleep(kStepMs * 1000);
    const std::string event = event_name(view.sysfs + "/" + name);
    node = event.empty() ? "" : view.nodes + "/" + event;
    seen = !node.empty() && access(node.c_str(), R_OK | W_OK) == 0;
  }
  if (!seen)
    why_not = (node.empty() ? view.nodes : node) + ": " + strerror(node.empty() ? ENOENT : errno);
  call(fd, UI_DEV_DESTROY, nullptr);
  close(fd);
  return seen;
}

}  // namespace vitrine
