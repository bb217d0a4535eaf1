// SPDX-License-Identifier: LGPL-2.1-or-later
// Cleaning of file names.
#include "webrtc/files/file-name.h"

#include <glib.h>

#include <algorithm>

namespace vitrine {
namespace {

constexpr size_t kLongest = 200;  // bytes; file systems take 255, and a number may come on top

/// What stands behind the last dot, with it; empty for hidden files and none.
size_t extension_at(const std::string& name) {
  const size_t dot = name.rfind('.');
  return dot == std::string::npos || dot == 0 || name.size() - dot > 20 ? name.size() : dot;
}

/// The longest beginning of at most `bytes` that ends at a character's end.
std::string shortened(const std::string& text, size_t bytes) {
  if (text.size() <= bytes)
    return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80)
    bytes--;
  return text.substr(0, bytes);
}

void trim_end(std::string& name) {
  while (!name.empty() && (name.back() == '.' || name.back() == ' '))
    name.pop_back();
}

}  // namespace

std::string safe_file_name(std::string_view name) {
  std::string result;
  if (g_utf8_validate_len(name.data(), name.size(), nullptr)) {
    const size_t slash = name.find_last_of("/\\");
    const std::string last(slash == std::string_view::npos ? name : name.substr(slash + 1));
    for (const char* at = last.c_str(); *at; at = g_utf8_next_char(at)) {
      const gunichar character = g_utf8_get_char(at);
      // Marks that change the direction of text make one extension look like another.
      const bool hides = (character >= 0x202a && character <= 0x202e) || (character >= 0x2066 && character <= 0x2069);
      if (!g_unichar_iscntrl(character) && !hides)
        result.append(at, static_cast<size_t>(g_utf8_next_char(at) - at));
    }
  }
  result.erase(0, result.find_first_not_of(". "));
  trim_end(result);
  if (result.empty())
    return "upload";
  if (result.size() > kLongest) {
    const std::string extension = result.substr(extension_at(result));
    result = shortened(result.substr(0, result.size() - extension.size()), kLongest - extension.size()) + extension;
    trim_end(result);
  }
  return result;
}

std::string numbered_file_name(const std::string& name, int number) {
  const size_t extension = extension_at(name);
  return name.substr(0, extension) + " (" + std::to_string(number) + ")" + name.substr(extension);
}

bool is_upload_id(std::string_view id) {
  return id.size() == 32 && std::all_of(id.begin(), id.end(), [](char c) { return g_ascii_isxdigit(c); });
}

}  // namespace vitrine
