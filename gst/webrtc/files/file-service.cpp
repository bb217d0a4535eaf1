// SPDX-License-Identifier: LGPL-2.1-or-later
// Which request gets what.
#include "webrtc/files/file-service.h"

#include <json-glib/json-glib.h>

#include "common/ref.h"
#include "webrtc/debug.h"
#include "webrtc/files/file-answers.h"
#include "webrtc/files/file-download.h"
#include "webrtc/files/upload-body.h"
#include "webrtc/http-exchange.h"

namespace vitrine {
namespace {

constexpr char kRequestKey[] = "vitrine-file-request";
constexpr size_t kMostListed = 1000;
constexpr int kMostReceiving = 8, kMostSending = 8;
constexpr double kRequestsPerSecond = 100, kRequestsAtOnce = 400;
constexpr int64_t kCleanUs = int64_t{3600} * 1'000'000;
constexpr unsigned kForbidden = 403, kTooManyRequests = 429;

std::optional<uint64_t> content_length(SoupServerMessage* message) {
  SoupMessageHeaders* headers = soup_server_message_get_request_headers(message);
  const goffset length = soup_message_headers_get_content_length(headers);
  if (soup_message_headers_get_encoding(headers) != SOUP_ENCODING_CONTENT_LENGTH || length < 0)
    return std::nullopt;
  return static_cast<uint64_t>(length);
}

std::string list_json(const std::vector<FolderEntry>& entries) {
  JsonBuilder* json = json_builder_new();
  json_builder_begin_object(json);
  json_builder_set_member_name(json, "files");
  json_builder_begin_array(json);
  for (const FolderEntry& entry : entries) {
    // A name that is not UTF-8 cannot be told in JSON.
    if (!g_utf8_validate(entry.name.c_str(), -1, nullptr))
      continue;
    json_builder_begin_object(json);
    json_builder_set_member_name(json, "name");
    json_builder_add_string_value(json, entry.name.c_str());
    json_builder_set_member_name(json, "size");
    json_builder_add_int_value(json, static_cast<gint64>(entry.size));
    json_builder_set_member_name(json, "modified");
    json_builder_add_int_value(json, entry.modified_s);
    json_builder_end_object(json);
  }
  json_builder_end_array(json);
  json_builder_end_object(json);
  JsonNode* root = json_builder_get_root(json);
  GCharPtr text(json_to_string(root, FALSE));
  json_node_unref(root);
  g_object_unref(json);
  return std::string(text.get()) + "\n";
}

}  // namespace

FileService::FileService(const FileSettings& settings)
    : limits_{!settings.upload_folder.empty(), !settings.download_folder.empty(), settings.largest_upload},
      uploads_(std::make_shared<UploadStore>(settings.upload_folder)),
      downloads_(std::make_shared<const FileFolder>(settings.download_folder)),
      requests_(kRequestsPerSecond, kRequestsAtOnce) {}

void FileService::check(SoupServerMessage* message, const std::string& path, Role role) {
  // Whatever is refused below has been asked by somebody we know: it is read to the end, so that the answer arrives.
  limit_body(message, 2 * kLargestPiece);
  const int64_t now_us = g_get_monotonic_time();
  if (!requests_.take(now_us))
    return refuse(message, FileRefusal{kTooManyRequests, "too many requests; try again later"});
  if (role != Role::control)
    return refuse(message, FileRefusal{kForbidden, "this account may only look"});
  const char* query = g_uri_get_query(soup_server_message_get_uri(message));
  const auto read = read_file_request(soup_server_message_get_method(message), path, query ? query : "", content_length(message), limits_);
  if (const auto* refusal = std::get_if<FileRefusal>(&read))
    return refuse(message, *refusal);
  const auto& request = std::get<FileRequest>(read);
  if (request.kind == FileRequest::Kind::piece)
    return check_upload(message, request);
  g_object_set_data_full(G_OBJECT(message), kRequestKey, new FileRequest(request), [](gpointer data) { delete static_cast<FileRequest*>(data); });
}

void FileService::check_upload(SoupServerMessage* message, FileRequest request) {
  auto place = take_place(receiving_, kMostReceiving);
  if (!place)
    return refuse(message, FileRefusal{kTooManyRequests, "too many files are being sent; try again later"});
  const int64_t now_us = g_get_monotonic_time();
  if (cleaned_us_ == 0 || now_us - cleaned_us_ > kCleanUs) {
    cleaned_us_ = now_us;
    threads_.run([uploads = uploads_] { uploads->remove_stale(); });
  }
  g_object_set_data_full(G_OBJECT(message), kRequestKey, new FileRequest(request), [](gpointer data) { delete static_cast<FileRequest*>(data); });
  UploadBody::receive(message, std::move(request), uploads_, threads_, std::move(place));
}

void FileService::serve(SoupServerMessage* message, GSocket* socket, const std::string& address) {
  const auto* request = static_cast<const FileRequest*>(g_object_get_data(G_OBJECT(message), kRequestKey));
  if (!request)
    return;
  switch (request->kind) {
    case FileRequest::Kind::list:
      return serve_list(message);
    case FileRequest::Kind::fetch:
      if (auto place = take_place(sending_, kMostSending))
        return send_file(message, request->name, downloads_, threads_, {std::move(place), pace_.enter(socket, address)});
      return refuse(message, FileRefusal{kTooManyRequests, "too many files are being fetched; try again later"});
    case FileRequest::Kind::piece:
      return UploadBody::finish(message);
    case FileRequest::Kind::progress:
      return threads_.run<StoredPiece>(
          message, [uploads = uploads_, id = request->id] { return uploads->progress(id); },
          [](SoupServerMessage* waiting, StoredPiece& piece) { answer_piece(waiting, piece); });
    case FileRequest::Kind::discard:
      return threads_.run<FileError>(
          message, [uploads = uploads_, id = request->id] { return uploads->discard(id); },
          [](SoupServerMessage* waiting, FileError& error) {
            if (error == FileError::kNone)
              answer_piece(waiting, {});
            else
              refuse(waiting, error);
          });
  }
}

void FileService::serve_list(SoupServerMessage* message) {
  using Entries = std::optional<std::vector<FolderEntry>>;
  threads_.run<Entries>(
      message, [downloads = downloads_] { return downloads->list(kMostListed); },
      [](SoupServerMessage* waiting, Entries& entries) {
        if (!entries)
          return refuse(waiting, FileError::kNoFolder);
        set_header(waiting, "Cache-Control", "no-store");
        respond(waiting, SOUP_STATUS_OK, "application/json", list_json(*entries));
      });
}

}  // namespace vitrine
