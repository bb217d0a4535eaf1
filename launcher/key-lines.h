// SPDX-License-Identifier: LGPL-2.1-or-later
// Where groups and keys stand in a key file: GLib's parser keeps no line numbers and merges what is given twice. Pure.
#pragma once

#include <map>
#include <string>
#include <utility>

namespace vitrine {

class KeyLines {
 public:
  explicit KeyLines(const std::string& text);

  /// The line of a key, else of its group, else 0.
  int line_of(const std::string& group, const std::string& key) const;
  /// What is wrong with the text itself: a line that is neither group, key nor comment, or one that is given twice. Empty if nothing.
  const std::string& problem() const { return problem_; }
  int problem_line() const { return problem_line_; }

 private:
  void note(const std::string& group, const std::string& key, int line);
  void fail(int line, const std::string& what);
  std::map<std::pair<std::string, std::string>, int> lines_;  // a group itself has the key ""
  std::string problem_;
  int problem_line_ = 0;
};

}  // namespace vitrine
