// SPDX-License-Identifier: LGPL-2.1-or-later
// Scanning a key file line by line.
#include "key-lines.h"

#include <sstream>

#include "text.h"

namespace vitrine {
namespace {

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

KeyLines::KeyLines(const std::string& text) {
  std::istringstream stream(text);
  std::string raw, group;
  for (int number = 1; std::getline(stream, raw); ++number) {
    const std::string line = trimmed(raw);
    if (line.empty() || line[0] == '#')
      continue;
    if (line[0] == '[' && line.back() == ']') {
      group = line.substr(1, line.size() - 2);
      note(group, "", number);
      continue;
    }
    const size_t equals = line.find('=');
    if (equals == std::string::npos || equals == 0)
      fail(number, "'" + line + "' " + _("is neither [group], key=value nor # comment"));
    else if (group.empty())
      fail(number, "'" + line + "' " + _("stands before the first [group]"));
    else
      note(group, trimmed(line.substr(0, equals)), number);
  }
}

void KeyLines::note(const std::string& group, const std::string& key, int line) {
  const auto [found, fresh] = lines_.try_emplace({group, key}, line);
  if (!fresh)
    fail(line, "[" + group + "]" + (key.empty() ? "" : " " + key) + ": " + _("given before, in line") + " " +
                   std::to_string(found->second));
}

void KeyLines::fail(int line, const std::string& what) {
  if (!problem_.empty())
    return;
  problem_ = what;
  problem_line_ = line;
}

int KeyLines::line_of(const std::string& group, const std::string& key) const {
  for (const auto& name : {key, std::string()})
    if (const auto found = lines_.find({group, name}); found != lines_.end())
      return found->second;
  return 0;
}

}  // namespace vitrine
