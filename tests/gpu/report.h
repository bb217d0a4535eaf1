// SPDX-License-Identifier: LGPL-2.1-or-later
// Results as one JSON object: names are dotted paths made by us, so nothing needs escaping but texts.
#pragma once

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace vitrine {

class GpuReport {
 public:
  void number(const std::string& name, double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", value);
    add(name, text);
  }
  void flag(const std::string& name, bool value) { add(name, value ? "true" : "false"); }
  void text(const std::string& name, const std::string& value) {
    std::string quoted = "\"";
    for (const char c : value) {
      if (c == '"' || c == '\\')
        quoted += '\\';
      quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    add(name, quoted + "\"");
  }
  std::string json() const {
    std::string out = "{\n";
    for (size_t i = 0; i < lines_.size(); i++)
      out += "  \"" + lines_[i].first + "\": " + lines_[i].second + (i + 1 < lines_.size() ? ",\n" : "\n");
    return out + "}\n";
  }

 private:
  void add(const std::string& name, std::string value) {
    std::fprintf(stderr, "%-52s %s\n", name.c_str(), value.c_str());
    lines_.emplace_back(name, std::move(value));
  }
  std::vector<std::pair<std::string, std::string>> lines_;
};

}  // namespace vitrine
