// SPDX-License-Identifier: LGPL-2.1-or-later
// Names of files that strangers choose.
#pragma once

#include <string>
#include <string_view>

namespace vitrine {

/// A name that is one, and only one, visible component of a path, for whatever a browser calls its file: the part behind the
/// last slash or backslash, without control characters, without dots in front or dots and blanks behind, of at most 200
/// bytes with its extension kept. "upload" when nothing is left. `name` that is not UTF-8 counts as empty.
std::string safe_file_name(std::string_view name);

/// "a.tar (2).gz" for "a.tar.gz" and 2: what to try when a name is taken.
std::string numbered_file_name(const std::string& name, int number);

/// 32 hexadecimal digits, as an upload is called.
bool is_upload_id(std::string_view id);

}  // namespace vitrine
