// SPDX-License-Identifier: LGPL-2.1-or-later
// _XKB_RULES_NAMES says which layout there is; setxkbmap, which comes with every X server's xkbcomp, changes it.
#include "remote/layout-setter.h"

#include <X11/Xatom.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

namespace vitrine {
namespace {

constexpr std::chrono::milliseconds kPatience{3000};

/// The NUL-separated strings of the property: rules, model, layouts, variants, options.
std::vector<std::string> rules_names(Display* display) {
  Atom type = 0L;
  int format = 0;
  unsigned long count = 0, rest = 0;
  unsigned char* data = nullptr;
  const Atom property = XInternAtom(display, "_XKB_RULES_NAMES", False);
  std::vector<std::string> names;
  if (XGetWindowProperty(display, DefaultRootWindow(display), property, 0, 256, False, XA_STRING, &type, &format, &count, &rest,
                         &data) == Success &&
      data && type == XA_STRING && format == 8) {
    const std::string all(reinterpret_cast<const char*>(data), count);
    for (size_t at = 0; at < all.size(); at += names.back().size() + 1)
      names.emplace_back(all.c_str() + at);
  }
  if (data)
    XFree(data);
  return names;
}

}  // namespace

LayoutSetter::LayoutSetter(Display* display) : display_(DisplayString(display)) {
  const auto names = rules_names(display);
  if (names.size() >= 4 && !names[2].empty())
    before_ = LayoutName{names[2], names[3]};
}

bool LayoutSetter::run(const std::string& layouts, const std::string& variants, std::string& error) const {
  std::vector<std::string> words{"setxkbmap", "-display", display_, "-layout", layouts, "-variant", variants};
  std::vector<char*> argv;
  for (auto& word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int fd : {0, 1, 2})
    posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", fd ? 1 : 0, 0);
  pid_t pid = 0;
  const int failure = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure) {
    error = std::string("setxkbmap does not start: ") + std::strerror(failure);
    return false;
  }
  int status = 0;
  for (const auto end = std::chrono::steady_clock::now() + kPatience; waitpid(pid, &status, WNOHANG) == 0;) {
    if (std::chrono::steady_clock::now() > end) {
      kill(pid, SIGKILL);
      waitpid(pid, &status, 0);
      error = "setxkbmap did not end";
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return true;
  error = "setxkbmap failed";
  return false;
}

bool LayoutSetter::set(const LayoutName& name, std::string& error) {
  if (!keymap_by_name(name.layout, name.variant)) {
    error = "there is no such layout";
    return false;
  }
  const bool latin = has_latin(name);
  if (!run(latin ? name.layout : name.layout + ",us", latin ? name.variant : name.variant + ',', error))
    return false;
  changed_ = true;
  return true;
}

void LayoutSetter::restore() {
  std::string ignored;
  if (changed_ && before_)
    run(before_->layout, before_->variant, ignored);
  changed_ = false;
}

}  // namespace vitrine
