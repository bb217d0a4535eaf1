// SPDX-License-Identifier: LGPL-2.1-or-later
// What a request under /files/ asks for (docs/protocol.md, "Files"). Pure: no HTTP library, no disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace vitrine {

/// As much of a file as one request brings, in bytes.
inline constexpr uint64_t kLargestPiece = 8u << 20;

struct FileLimits {
  bool uploads = false, downloads = false;  // whether there are any
  uint64_t largest_upload = 0;              // bytes
};

struct FileRequest {
  enum class Kind { list, fetch, piece, progress, discard };
  Kind kind = Kind::list;
  std::string id;    // of an upload
  std::string name;  // fetch: as it stands in the list; piece: made safe
  uint64_t size = 0, offset = 0, length = 0;  // of a piece: the whole file's size, where it goes, how long it is
};

struct FileRefusal {
  unsigned status = 0;
  const char* why = nullptr;
};

/// Whether it is for us: "/files/…".
bool is_file_path(std::string_view path);

/// `path` is decoded, `query` is not and may be empty; `length` is what Content-Length says, nothing without one.
std::variant<FileRequest, FileRefusal> read_file_request(std::string_view method, std::string_view path, std::string_view query,
                                                         std::optional<uint64_t> length, const FileLimits& limits);

}  // namespace vitrine
