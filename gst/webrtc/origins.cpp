// SPDX-License-Identifier: LGPL-2.1-or-later
// Comparing origins.
#include "webrtc/origins.h"

#include <algorithm>

#include "webrtc/turn/ice-url.h"

namespace vitrine {

bool is_own_origin(const std::string& origin, const std::string& host) { return origin == "http://" + host || origin == "https://" + host; }

std::optional<AllowedOrigins> AllowedOrigins::parse(const std::string& list, std::string& error) {
  AllowedOrigins allowed;
  for (auto& origin : split_list(list)) {
    const size_t host = origin.starts_with("http://") ? 7 : origin.starts_with("https://") ? 8 : 0;
    if (origin != "*" && (host == 0 || host == origin.size() || origin.find('/', host) != std::string::npos)) {
      error = "'" + origin + "' is no http: or https: origin";
      return std::nullopt;
    }
    allowed.origins_.push_back(std::move(origin));
  }
  return allowed;
}

bool AllowedOrigins::allows(const std::string& origin) const {
  return std::any_of(origins_.begin(), origins_.end(), [&](const auto& entry) { return entry == "*" || entry == origin; });
}

}  // namespace vitrine
