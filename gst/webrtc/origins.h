// SPDX-License-Identifier: LGPL-2.1-or-later
// Whose pages may ask: a server's own, and those of other sites that are named. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace vitrine {

/// Whether a page of this Origin was served by `host` (with its port). The scheme may differ: behind a proxy that ends TLS the page is https
/// and what reaches us is not.
bool is_own_origin(const std::string& origin, const std::string& host);

class AllowedOrigins {
 public:
  /// A list of "https://host[:port]", separated by commas; "*": all. Nothing, with `error` set, if one of them is no origin.
  static std::optional<AllowedOrigins> parse(const std::string& list, std::string& error);

  bool allows(const std::string& origin) const;

 private:
  std::vector<std::string> origins_;
};

}  // namespace vitrine
