// SPDX-License-Identifier: LGPL-2.1-or-later
// Requests for files: method, path and query, each on a line of its own.
#include <glib.h>

#include <cstdlib>
#include <string>

#include "webrtc/files/file-name.h"
#include "webrtc/files/file-request.h"

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

void check_name(const std::string& name) {
  require(!name.empty() && name.size() <= 200 && name[0] != '.' && name.find_first_of(std::string("/\\\0\r\n", 5)) == std::string::npos);
  require(g_utf8_validate(name.data(), static_cast<gssize>(name.size()), nullptr));
  require(vitrine::safe_file_name(name) == name);
  require(vitrine::numbered_file_name(name, 999).size() < 255);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vitrine;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const size_t first = text.find('\n'), second = first == std::string::npos ? first : text.find('\n', first + 1);
  check_name(safe_file_name(text));
  if (second == std::string::npos)
    return 0;
  const FileLimits limits{true, true, uint64_t{1} << 40};
  const auto answer = read_file_request(text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1), size, limits);
  if (const auto* refusal = std::get_if<FileRefusal>(&answer)) {
    require(refusal->status >= 400 && refusal->status < 500 && refusal->why);
    return 0;
  }
  const auto& request = std::get<FileRequest>(answer);
  require(is_file_path(text.substr(first + 1, second - first - 1)));
  if (request.kind == FileRequest::Kind::list)
    return 0;
  if (request.kind == FileRequest::Kind::fetch) {
    require(!request.name.empty());
    return 0;
  }
  require(is_upload_id(request.id));
  if (request.kind == FileRequest::Kind::piece) {
    check_name(request.name);
    require(request.size <= limits.largest_upload && request.length <= kLargestPiece && request.offset <= request.size &&
            request.length <= request.size - request.offset);
  }
  return 0;
}
