// SPDX-License-Identifier: LGPL-2.1-or-later
// From settings to x11desktop.
#include "desktop-element.h"

#include <algorithm>

namespace vitrine {

bool viewers_draw_pointer(const Settings& settings) { return settings.text("cursor") == "viewer"; }

ModelElement desktop_element(const Settings& settings, const std::string& display) {
  const std::string clipboard = settings.text("clipboard"), resize = settings.text("resize");
  if (clipboard == "off" && resize == "off" && !viewers_draw_pointer(settings))
    return {};
  ModelElement element{"x11desktop", "desktop", {}};
  const auto put = [&element](const char* property, const std::string& value, const char* where) {
    element.properties.push_back({property, value, where});
  };
  if (!display.empty())
    put("display-name", display, "--display");
  put("clipboard", clipboard, "--clipboard");
  put("clipboard-limit", std::to_string(settings.number("clipboard-limit") << 20), "--clipboard-limit");
  if (settings.flag("primary-selection"))
    put("primary", "true", "--primary-selection");
  put("cursor", viewers_draw_pointer(settings) ? "true" : "false", "--cursor");
  put("resize", resize, "--resize");
  const Size most = parse_size(settings.text("max-size")).value_or(Size{});
  if (most.width >= 200 && most.height >= 200) {
    put("max-width", std::to_string(most.width), "--max-size");
    put("max-height", std::to_string(most.height), "--max-size");
  }
  return element;
}

void set_pointer(const Settings& settings, ModelElement& capture) {
  if (viewers_draw_pointer(settings))
    for (auto& property : capture.properties)
      if (property.name == "show-pointer")
        property.value = "false";
}

Size framebuffer_size(const Settings& settings, Size size) {
  if (settings.text("resize") == "off")
    return size;
  const Size most = parse_size(settings.text("max-size")).value_or(size);
  return {std::max(size.width, most.width), std::max(size.height, most.height)};
}

}  // namespace vitrine
