// SPDX-License-Identifier: LGPL-2.1-or-later
// Arithmetic of sizes, modes and resources. Pure.
#include <algorithm>

#include "remote/display-size.h"

namespace vitrine {

ScreenSize fitted_size(ScreenSize wish, ScreenSize least, ScreenSize most) {
  const auto fit = [](int value, int low, int high) { return std::max(std::min(value, high) & ~1, (low + 1) & ~1); };
  return {fit(wish.width, least.width, most.width), fit(wish.height, least.height, most.height)};
}

XRRModeInfo mode_for(ScreenSize size) {
  constexpr unsigned kRate = 60, kBlankX = 160, kFrontX = 48, kSyncX = 32, kFrontY = 3, kSyncY = 8, kBlankUs = 460;
  XRRModeInfo mode{};
  mode.width = static_cast<unsigned>(size.width);
  mode.height = static_cast<unsigned>(size.height);
  mode.hTotal = mode.width + kBlankX;
  mode.hSyncStart = mode.width + kFrontX;
  mode.hSyncEnd = mode.hSyncStart + kSyncX;
  // Lines of the blanking interval: 460 µs of a picture's 16 667.
  const unsigned blank = std::max(kFrontY + kSyncY + 6, mode.height * kBlankUs / (1'000'000 / kRate - kBlankUs) + 1);
  mode.vTotal = mode.height + blank;
  mode.vSyncStart = mode.height + kFrontY;
  mode.vSyncEnd = mode.vSyncStart + kSyncY;
  mode.dotClock = static_cast<unsigned long>(mode.hTotal) * mode.vTotal * kRate;
  mode.modeFlags = RR_HSyncPositive | RR_VSyncNegative;
  return mode;
}

std::string with_resource(const std::string& resources, const std::string& name, const std::string& value) {
  std::string out;
  for (size_t at = 0; at < resources.size();) {
    const size_t end = std::min(resources.find('\n', at), resources.size());
    const std::string line = resources.substr(at, end - at);
    at = end + 1;
    const size_t colon = line.find(':');
    if (line.empty() || (colon != std::string::npos && line.substr(0, colon) == name))
      continue;
    out += line + "\n";
  }
  return value.empty() ? out : out + name + ":\t" + value + "\n";
}

std::string resource_of(const std::string& resources, const std::string& name) {
  const std::string text = "\n" + resources;
  const size_t found = text.find("\n" + name + ":");
  if (found == std::string::npos)
    return "";
  const size_t start = std::min(text.find_first_not_of(" \t", found + name.size() + 2), text.size());
  return text.substr(start, text.find('\n', start) - start);
}

}  // namespace vitrine
