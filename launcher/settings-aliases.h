// SPDX-License-Identifier: LGPL-2.1-or-later
// Variables of the systems that Vitrine replaces: what each of them means here. Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace vitrine {

/// What becomes of a variable's value.
enum class AliasRule {
  same,      // the option's value as it stands
  flag,      // true or false, in their spellings
  inverse,   // false or true
  number,    // the first of "60", "60,8-240", "60-60"; a range alone says nothing
  address,   // an IP address or "localhost"
  encoder,   // an encoder's name, to the profile that has it
  words,     // `note` says what each becomes: "THEIRS=OURS|THEIRS=OURS"
  part,      // goes together with others, see settings-aliases.cpp
  kept,      // read by other programs or by an image's start script, as ever
  gone,      // does nothing: a warning says why, unless the value is one of `harmless`
};

struct AliasSpec {
  const char* name;
  AliasRule rule;
  const char* option;            // null for kept and gone
  const char* note = nullptr;    // for kept: who reads it; for gone: why not, and what to use
  const char* harmless = nullptr;  // "VALUE|VALUE"
  bool secret = false;
};

/// All of them; of several for one option the first that is given counts.
const std::vector<AliasSpec>& alias_table();
/// The table's two halves: of the servers themselves, and of the images around them.
const std::vector<AliasSpec>& server_aliases();
const std::vector<AliasSpec>& image_aliases();

struct AliasValue {
  std::string option, value, source;
};

/// The options that these variables set, and warnings for those that do nothing. `environment` gives null for what is not set.
std::vector<AliasValue> adopt_aliases(const std::function<const char*(const char*)>& environment, std::vector<std::string>& warnings);

}  // namespace vitrine
