// SPDX-License-Identifier: LGPL-2.1-or-later
// Which faults an environment variable asks a fake for: "NAME,NAME=NUMBER".
#pragma once

#include <cstdlib>
#include <sstream>
#include <string>

namespace vitrine {

/// `number` gets what stands behind the equals sign, if anything does.
inline bool fault_asked_for(const char* variable, const std::string& fault, unsigned long* number = nullptr) {
  const char* all = std::getenv(variable);
  std::istringstream list(all ? all : "");
  std::string item;
  while (std::getline(list, item, ',')) {
    const size_t equals = item.find('=');
    if (item.substr(0, equals) != fault)
      continue;
    if (number && equals != std::string::npos)
      *number = std::strtoul(item.c_str() + equals + 1, nullptr, 10);
    return true;
  }
  return false;
}

}  // namespace vitrine
