// SPDX-License-Identifier: LGPL-2.1-or-later
// Methods, paths and queries of requests for files.
#include "webrtc/files/file-request.h"

#include <glib.h>

#include <charconv>
#include <memory>

#include "webrtc/files/file-name.h"

namespace vitrine {
namespace {

constexpr std::string_view kListPath = "/files/", kUploadPath = "/files/upload/", kDownloadPath = "/files/download/";
constexpr size_t kLongestQuery = 8192;

std::optional<uint64_t> number(const char* text) {
  const std::string_view digits = text ? text : "";
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  // As far as file offsets go.
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || value > static_cast<uint64_t>(G_MAXINT64))
    return std::nullopt;
  return value;
}

std::variant<FileRequest, FileRefusal> read_piece(FileRequest request, std::string_view query, std::optional<uint64_t> length,
                                                  const FileLimits& limits) {
  GHashTable* parsed = query.size() > kLongestQuery
                           ? nullptr
                           : g_uri_parse_params(query.data(), static_cast<gssize>(query.size()), "&", G_URI_PARAMS_WWW_FORM, nullptr);
  const std::unique_ptr<GHashTable, decltype(&g_hash_table_unref)> form(parsed, g_hash_table_unref);
  const auto value = [&](const char* name) { return form ? static_cast<const char*>(g_hash_table_lookup(form.get(), name)) : nullptr; };
  const auto size = number(value("size")), offset = number(value("offset"));
  if (!size || !offset || !value("name"))
    return FileRefusal{400, "name, size and offset are needed in the query"};
  if (*size > limits.largest_upload)
    return FileRefusal{413, "the file is larger than this session takes"};
  if (!length || *length > kLargestPiece)
    return FileRefusal{413, "a piece has a Content-Length of at most 8 MiB"};
  if (*offset > *size || *length > *size - *offset)
    return FileRefusal{400, "the piece goes beyond the file's size"};
  request.kind = FileRequest::Kind::piece;
  request.name = safe_file_name(value("name"));
  request.size = *size;
  request.offset = *offset;
  request.length = *length;
  return request;
}

std::variant<FileRequest, FileRefusal> read_upload(std::string_view method, std::string_view id, std::string_view query,
                                                   std::optional<uint64_t> length, const FileLimits& limits) {
  if (!limits.uploads)
    return FileRefusal{404, "no files are taken here"};
  if (!is_upload_id(id))
    return FileRefusal{400, "an upload is named by 32 hexadecimal digits"};
  FileRequest request;
  request.id = id;
  if (method == "PUT")
    return read_piece(std::move(request), query, length, limits);
  if (method != "HEAD" && method != "DELETE")
    return FileRefusal{405, "an upload is sent by PUT, asked for by HEAD and given up by DELETE"};
  request.kind = method == "HEAD" ? FileRequest::Kind::progress : FileRequest::Kind::discard;
  return request;
}

}  // namespace

bool is_file_path(std::string_view path) { return path.starts_with(kListPath); }

std::variant<FileRequest, FileRefusal> read_file_request(std::string_view method, std::string_view path, std::string_view query,
                                                         std::optional<uint64_t> length, const FileLimits& limits) {
  if (path.starts_with(kUploadPath))
    return read_upload(method, path.substr(kUploadPath.size()), query, length, limits);
  if (!limits.downloads)
    return FileRefusal{404, "no files are offered here"};
  if (method != "GET" && method != "HEAD")
    return FileRefusal{405, "files are fetched by GET"};
  FileRequest request;
  if (path == kListPath)
    return request;
  if (!path.starts_with(kDownloadPath) || path.size() == kDownloadPath.size())
    return FileRefusal{404, "there is no such file"};
  request.kind = FileRequest::Kind::fetch;
  request.name = path.substr(kDownloadPath.size());
  return request;
}

}  // namespace vitrine
