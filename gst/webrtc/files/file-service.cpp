// SPDX-License-Identifier: LGPL-2.1-or-later
// Requests for files.
#include "webrtc/files/file-service.h"

#include <json-glib/json-glib.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include "common/ref.h"
#include "webrtc/debug.h"
#include "webrtc/files/file-name.h"

namespace vitrine {

struct FileService::Shared {
  FileFolder uploads;
  FileFolder downloads;
  int downloads_running = 0;
};

namespace {

constexpr char kUploadPath[] = "/files/upload/";
constexpr char kListPath[] = "/files/";
constexpr char kDownloadPath[] = "/files/download/";
constexpr int64_t kStaleSeconds = 24 * 60 * 60;
constexpr size_t kMostListed = 1000;
constexpr int kMostDownloads = 8;
constexpr size_t kDownloadChunk = 256 << 10;
constexpr guint kConflict = 409, kTooLarge = 413, kInsufficientStorage = 507, kTooManyRequests = 429;

void set_header(SoupServerMessage* message, const char* name, const std::string& value) {
  soup_message_headers_replace(soup_server_message_get_response_headers(message), name, value.c_str());
}

void respond(SoupServerMessage* message, guint status, const char* type, const std::string& body) {
  set_header(message, "Cache-Control", "no-store");
  soup_server_message_set_status(message, status, nullptr);
  soup_server_message_set_response(message, type, SOUP_MEMORY_COPY, body.data(), body.size());
}

void refuse(SoupServerMessage* message, guint status, const char* why) {
  respond(message, status, "text/plain", std::string(why) + "\n");
}

void refuse(SoupServerMessage* message, FileError error) {
  switch (error) {
    case FileError::kNoFolder:
      return refuse(message, SOUP_STATUS_SERVICE_UNAVAILABLE, "the folder for files is not there");
    case FileError::kWrongOffset:
      return refuse(message, kConflict, "the file goes on elsewhere: Upload-Offset tells where");
    case FileError::kNoSpace:
      return refuse(message, kInsufficientStorage, "there is no room for this file");
    case FileError::kNotFound:
      return refuse(message, SOUP_STATUS_NOT_FOUND, "there is no such file");
    case FileError::kRefused:
      return refuse(message, SOUP_STATUS_FORBIDDEN, "something in the folder is in the way, or may not be written");
    default:
      return refuse(message, SOUP_STATUS_INTERNAL_SERVER_ERROR, "the file could not be written");
  }
}

/// One value of the request's query.
std::optional<std::string> query_value(SoupServerMessage* message, const char* name) {
  const char* query = g_uri_get_query(soup_server_message_get_uri(message));
  if (!query)
    return std::nullopt;
  GHashTable* form = soup_form_decode(query);
  const char* value = static_cast<const char*>(g_hash_table_lookup(form, name));
  std::optional<std::string> result;
  if (value)
    result = value;
  g_hash_table_unref(form);
  return result;
}

std::optional<uint64_t> query_number(SoupServerMessage* message, const char* name) {
  const auto text = query_value(message, name);
  if (!text || text->empty() || text->size() > 19 || text->find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  return std::strtoull(text->c_str(), nullptr, 10);
}

/// Runs `work` on another thread while the message waits, then `done` on this one.
template <typename Result>
void run_aside(SoupServerMessage* message, std::function<Result()> work, std::function<void(SoupServerMessage*, const Result&)> done) {
  struct Job {
    std::function<Result()> work;
    std::function<void(SoupServerMessage*, const Result&)> done;
    Result result{};
  };
  soup_server_message_pause(message);
  GTask* task = g_task_new(
      message, nullptr,
      [](GObject* source, GAsyncResult* result, gpointer) {
        auto* finished = SOUP_SERVER_MESSAGE(source);
        auto* job = static_cast<Job*>(g_task_get_task_data(G_TASK(result)));
        job->done(finished, job->result);
        soup_server_message_unpause(finished);
      },
      nullptr);
  g_task_set_task_data(task, new Job{std::move(work), std::move(done), {}}, [](gpointer job) { delete static_cast<Job*>(job); });
  g_task_run_in_thread(task, [](GTask* running, gpointer, gpointer data, GCancellable*) {
    auto* job = static_cast<Job*>(data);
    job->result = job->work();
    g_task_return_boolean(running, TRUE);
  });
  g_object_unref(task);
}

void answer_piece(SoupServerMessage* message, const StoredPiece& piece) {
  set_header(message, "Upload-Offset", std::to_string(piece.size));
  if (piece.error != FileError::kNone) {
    refuse(message, piece.error);
    return;
  }
  if (piece.name.empty()) {
    respond(message, SOUP_STATUS_OK, "application/json", "{}\n");
    return;
  }
  GST_INFO("a viewer's file has arrived: %s", piece.name.c_str());
  JsonNode* node = json_node_alloc();
  json_node_init_string(node, piece.name.c_str());
  GCharPtr name(json_to_string(node, FALSE));
  json_node_unref(node);
  respond(message, SOUP_STATUS_CREATED, "application/json", std::string("{\"name\":") + name.get() + "}\n");
}

/// A file on its way out, a chunk at a time.
struct Download {
  UniqueFd fd;
  uint64_t left = 0;
  std::shared_ptr<void> counted;
};

struct Chunk {
  GBytes* bytes = nullptr;
};

void send_next(SoupServerMessage* message, const std::shared_ptr<Download>& download) {
  if (download->left == 0) {
    soup_message_body_complete(soup_server_message_get_response_body(message));
    return;
  }
  run_aside<Chunk>(
      message,
      [download] {
        const size_t wanted = static_cast<size_t>(std::min<uint64_t>(download->left, kDownloadChunk));
        void* data = g_malloc(wanted);
        ssize_t got;
        do
          got = read(download->fd.get(), data, wanted);
        while (got < 0 && errno == EINTR);
        if (got <= 0) {
          g_free(data);
          return Chunk{};
        }
        return Chunk{g_bytes_new_take(data, static_cast<gsize>(got))};
      },
      [download](SoupServerMessage* waiting, const Chunk& chunk) {
        if (!chunk.bytes) {
          // It has become shorter: the length that was promised cannot be kept any more.
          GST_WARNING("a file ended before its end while a viewer fetched it");
          download->left = 0;
          const auto stream = Ref<GIOStream>::adopt(soup_server_message_steal_connection(waiting));
          g_io_stream_close(stream.get(), nullptr, nullptr);
          return;
        }
        download->left -= g_bytes_get_size(chunk.bytes);
        soup_message_body_append_bytes(soup_server_message_get_response_body(waiting), chunk.bytes);
        g_bytes_unref(chunk.bytes);
      });
}

}  // namespace

FileService::FileService(FileSettings settings)
    : settings_(std::move(settings)),
      shared_(new Shared{FileFolder(settings_.upload_folder), FileFolder(settings_.download_folder)}) {
  if (!settings_.upload_folder.empty())
    shared_->uploads.remove_stale(kStaleSeconds);
}

FileService::~FileService() = default;

bool FileService::is_path(const std::string& path) {
  return path.starts_with(kListPath);
}

bool FileService::check(SoupServerMessage* message, const std::string& path) {
  const std::string method = soup_server_message_get_method(message);
  const bool reads = method == "GET" || method == "HEAD";
  if (!path.starts_with(kUploadPath)) {
    if (settings_.download_folder.empty())
      refuse(message, SOUP_STATUS_NOT_FOUND, "no files are offered here");
    else if (!reads)
      refuse(message, SOUP_STATUS_METHOD_NOT_ALLOWED, "files are fetched by GET");
    else
      return true;
    return false;
  }
  const auto total = query_number(message, "size");
  const goffset length = soup_message_headers_get_content_length(soup_server_message_get_request_headers(message));
  const bool has_length =
      soup_message_headers_get_encoding(soup_server_message_get_request_headers(message)) == SOUP_ENCODING_CONTENT_LENGTH;
  if (settings_.upload_folder.empty())
    refuse(message, SOUP_STATUS_NOT_FOUND, "no files are taken here");
  else if (!is_upload_id(path.substr(sizeof kUploadPath - 1)))
    refuse(message, SOUP_STATUS_BAD_REQUEST, "an upload is named by 32 hexadecimal digits");
  else if (method == "HEAD" || method == "DELETE")
    return true;
  else if (method != "PUT")
    refuse(message, SOUP_STATUS_METHOD_NOT_ALLOWED, "an upload is sent by PUT, asked for by HEAD and given up by DELETE");
  else if (!total || !query_number(message, "offset") || !query_value(message, "name"))
    refuse(message, SOUP_STATUS_BAD_REQUEST, "name, size and offset are needed in the query");
  else if (*total > settings_.largest_upload)
    refuse(message, kTooLarge, "the file is larger than this session takes");
  else if (!has_length || length < 0 || static_cast<uint64_t>(length) > kLargestPiece)
    refuse(message, kTooLarge, "a piece has a Content-Length of at most 8 MiB");
  else
    return true;
  // Whatever it goes on sending is not read.
  set_header(message, "Connection", "close");
  return false;
}

void FileService::serve(SoupServerMessage* message, const std::string& path) {
  if (path.starts_with(kUploadPath))
    serve_upload(message, path.substr(sizeof kUploadPath - 1));
  else if (path.starts_with(kDownloadPath))
    serve_download(message, path.substr(sizeof kDownloadPath - 1));
  else if (path == kListPath)
    serve_list(message);
  else
    refuse(message, FileError::kNotFound);
}

void FileService::serve_upload(SoupServerMessage* message, const std::string& id) {
  const auto shared = shared_;
  const std::string method = soup_server_message_get_method(message);
  if (method == "HEAD") {
    run_aside<StoredPiece>(message, [shared, id] { return shared->uploads.progress(id); }, answer_piece);
    return;
  }
  if (method == "DELETE") {
    run_aside<FileError>(message, [shared, id] { return shared->uploads.discard(id); },
                         [](SoupServerMessage* waiting, const FileError& error) {
                           if (error == FileError::kNone)
                             respond(waiting, SOUP_STATUS_OK, "application/json", "{}\n");
                           else
                             refuse(waiting, error);
                         });
    return;
  }
  SoupMessageBody* body = soup_server_message_get_request_body(message);
  GBytes* bytes = soup_message_body_flatten(body);
  const std::shared_ptr<GBytes> held(bytes, g_bytes_unref);
  const std::string name = query_value(message, "name").value_or("");
  const uint64_t offset = query_number(message, "offset").value_or(0);
  const uint64_t total = query_number(message, "size").value_or(0);
  run_aside<StoredPiece>(
      message,
      [shared, id, name, offset, total, held] {
        gsize length = 0;
        const void* data = g_bytes_get_data(held.get(), &length);
        return shared->uploads.append(id, name, offset, total, data, length);
      },
      answer_piece);
}

void FileService::serve_list(SoupServerMessage* message) {
  const auto shared = shared_;
  using Entries = std::optional<std::vector<FolderEntry>>;
  run_aside<Entries>(message, [shared] { return shared->downloads.list(kMostListed); },
                     [](SoupServerMessage* waiting, const Entries& entries) {
                       if (!entries) {
                         refuse(waiting, FileError::kNoFolder);
                         return;
                       }
                       JsonBuilder* json = json_builder_new();
                       json_builder_begin_object(json);
                       json_builder_set_member_name(json, "files");
                       json_builder_begin_array(json);
                       for (const FolderEntry& entry : *entries) {
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
                       respond(waiting, SOUP_STATUS_OK, "application/json", std::string(text.get()) + "\n");
                     });
}

void FileService::serve_download(SoupServerMessage* message, const std::string& name) {
  if (shared_->downloads_running >= kMostDownloads) {
    set_header(message, "Retry-After", "5");
    refuse(message, kTooManyRequests, "too many files are being fetched; try again later");
    return;
  }
  auto download = std::make_shared<Download>();
  download->fd = shared_->downloads.open_file(name, &download->left);
  if (!download->fd) {
    refuse(message, FileError::kNotFound);
    return;
  }
  SoupMessageHeaders* headers = soup_server_message_get_response_headers(message);
  guint status = SOUP_STATUS_OK;
  // One range, so that a browser can go on where it was cut off.
  SoupRange* ranges = nullptr;
  int count = 0;
  const auto size = static_cast<goffset>(download->left);
  if (soup_message_headers_get_ranges(soup_server_message_get_request_headers(message), size, &ranges, &count)) {
    if (count == 1 && lseek(download->fd.get(), ranges[0].start, SEEK_SET) >= 0) {
      download->left = static_cast<uint64_t>(ranges[0].end - ranges[0].start + 1);
      soup_message_headers_set_content_range(headers, ranges[0].start, ranges[0].end, size);
      status = SOUP_STATUS_PARTIAL_CONTENT;
    }
    soup_message_headers_free_ranges(soup_server_message_get_request_headers(message), ranges);
  }
  soup_message_headers_set_encoding(headers, SOUP_ENCODING_CONTENT_LENGTH);
  soup_message_headers_set_content_length(headers, static_cast<goffset>(download->left));
  soup_message_headers_set_content_type(headers, "application/octet-stream", nullptr);
  set_header(message, "Cache-Control", "no-store");
  set_header(message, "Accept-Ranges", "bytes");
  // Never shown as a page of this site, whatever is in it.
  GCharPtr escaped(g_uri_escape_string(name.c_str(), nullptr, FALSE));
  set_header(message, "Content-Disposition", std::string("attachment; filename*=UTF-8''") + escaped.get());
  set_header(message, "Content-Security-Policy", "sandbox");
  soup_server_message_set_status(message, status, nullptr);
  if (g_strcmp0(soup_server_message_get_method(message), "HEAD") == 0)
    return;

  const auto shared = shared_;
  shared->downloads_running++;
  download->counted = std::shared_ptr<void>(nullptr, [shared](void*) { shared->downloads_running--; });
  soup_message_body_set_accumulate(soup_server_message_get_response_body(message), FALSE);
  auto* held = new std::shared_ptr<Download>(download);
  g_signal_connect_data(
      message, "wrote-chunk",
      G_CALLBACK(+[](SoupServerMessage* writing, gpointer data) { send_next(writing, *static_cast<std::shared_ptr<Download>*>(data)); }),
      held, [](gpointer data, GClosure*) { delete static_cast<std::shared_ptr<Download>*>(data); }, static_cast<GConnectFlags>(0));
  send_next(message, download);
}

}  // namespace vitrine
