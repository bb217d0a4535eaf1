// SPDX-License-Identifier: LGPL-2.1-or-later
// Choosing between uinput and the preload library.
#include "gamepads.h"

#include <glib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "report.h"
#include "text.h"
#include "uinput-view.h"
#include "vitrine-config.h"

namespace vitrine {
namespace {

constexpr char kUInput[] = "/dev/uinput";

std::string preload_library() {
  const char* other = g_getenv("VITRINE_GAMEPAD_PRELOAD");
  return other && *other ? other : VITRINE_GAMEPAD_PRELOAD;
}

}  // namespace

bool Gamepads::prepare_preload(std::string& error) {
  const std::string library = preload_library();
  // The loader takes spaces and colons for the end of a name.
  if (access(library.c_str(), R_OK) != 0 || library.find_first_of(" :") != std::string::npos) {
    error = library + ": " + _("this library cannot be loaded, which shows gamepads to programs");
    return false;
  }
  folder_ = PrivateFolder::make(0, error);
  if (!folder_)
    return false;
  // Last, so that libraries that must be the first are.
  const char* others = g_getenv("LD_PRELOAD");
  environment_ = {"LD_PRELOAD=" + (others && *others ? others + std::string(":") : "") + library, "VITRINE_GAMEPAD_FOLDER=" + folder_->gamepads(),
                  // SDL would ask udev, which knows nothing of these.
                  "SDL_JOYSTICK_DISABLE_UDEV=1"};
  return true;
}

bool Gamepads::prepare(const Settings& settings, std::string& error) {
  const std::string wanted = settings.text("gamepads");
  if (wanted == "off")
    return true;
  if (wanted != "preload" && access(kUInput, R_OK | W_OK) == 0) {
    std::string why_not;
    const bool seen = uinput_devices_are_seen({}, why_not);
    if (!seen)
      GST_WARNING("programs would not see gamepads made by %s: %s", kUInput, why_not.c_str());
    if (seen || wanted == "uinput") {
      backend_ = "uinput";
      return true;
    }
  }
  if (wanted == "uinput") {
    error = std::string("--gamepads=uinput: ") + kUInput + ": " + strerror(errno);
    return false;
  }
  if (prepare_preload(error)) {
    backend_ = "preload";
    return true;
  }
  if (wanted == "preload")
    error = "--gamepads=preload: " + error;
  return wanted != "preload";
}

ModelElement Gamepads::element() const {
  if (backend_.empty())
    return {};
  ModelElement element{"virtualgamepads", "gamepads", {{"backend", backend_, "--gamepads"}}};
  if (folder_)
    element.properties.push_back({"folder", folder_->gamepads(), "--gamepads"});
  return element;
}

void Gamepads::remove_files() const {
  if (folder_)
    folder_->remove();
}

}  // namespace vitrine
