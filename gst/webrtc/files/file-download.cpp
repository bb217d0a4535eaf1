// SPDX-License-Identifier: LGPL-2.1-or-later
// Ranges, headers, and chunks that are read when the one before is gone.
#include "webrtc/files/file-download.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/ref.h"
#include "webrtc/debug.h"
#include "webrtc/files/file-answers.h"
#include "webrtc/http-exchange.h"

namespace vitrine {
namespace {

constexpr size_t kChunk = 256u << 10;

class Download : public std::enable_shared_from_this<Download> {
 public:
  Download(std::string name, DiskThreads& threads, FetchHold hold)
      : name_(std::move(name)), threads_(threads), hold_(std::move(hold)) {}

  void start(SoupServerMessage* message, OpenedFile file);

 private:
  guint choose_range(SoupServerMessage* message);
  void send_next(SoupServerMessage* message);

  const std::string name_;
  DiskThreads& threads_;
  const FetchHold hold_;
  OpenedFile file_;
  uint64_t at_ = 0, left_ = 0;
};

/// One range, so that a browser can go on where it was cut off, of the file that it knows.
guint Download::choose_range(SoupServerMessage* message) {
  const std::string known = request_header(message, "If-Range");
  if (!known.empty() && known != "\"" + file_.version + "\"")
    return SOUP_STATUS_OK;
  SoupMessageHeaders* asked = soup_server_message_get_request_headers(message);
  const auto size = static_cast<goffset>(file_.size);
  SoupRange* ranges = nullptr;
  int count = 0;
  if (!soup_message_headers_get_ranges(asked, size, &ranges, &count))
    return SOUP_STATUS_OK;
  const bool one = count == 1 && ranges[0].start >= 0 && ranges[0].start <= ranges[0].end && ranges[0].end < size;
  if (one) {
    at_ = static_cast<uint64_t>(ranges[0].start);
    left_ = static_cast<uint64_t>(ranges[0].end - ranges[0].start + 1);
    soup_message_headers_set_content_range(soup_server_message_get_response_headers(message), ranges[0].start, ranges[0].end, size);
  }
  soup_message_headers_free_ranges(asked, ranges);
  return one ? SOUP_STATUS_PARTIAL_CONTENT : SOUP_STATUS_OK;
}

void Download::start(SoupServerMessage* message, OpenedFile file) {
  file_ = std::move(file);
  left_ = file_.size;
  const guint status = choose_range(message);
  SoupMessageHeaders* headers = soup_server_message_get_response_headers(message);
  soup_message_headers_set_encoding(headers, SOUP_ENCODING_CONTENT_LENGTH);
  soup_message_headers_set_content_length(headers, static_cast<goffset>(left_));
  soup_message_headers_set_content_type(headers, "application/octet-stream", nullptr);
  set_header(message, "Cache-Control", "no-store");
  set_header(message, "Accept-Ranges", "bytes");
  set_header(message, "ETag", "\"" + file_.version + "\"");
  // Never shown as a page of this site, whatever is in it.
  GCharPtr escaped(g_uri_escape_string(name_.c_str(), nullptr, FALSE));
  set_header(message, "Content-Disposition", std::string("attachment; filename*=UTF-8''") + escaped.get());
  set_header(message, "Content-Security-Policy", "sandbox");
  soup_server_message_set_status(message, status, nullptr);
  if (g_strcmp0(soup_server_message_get_method(message), "HEAD") == 0)
    return;
  using Held = std::shared_ptr<Download>;
  soup_message_body_set_accumulate(soup_server_message_get_response_body(message), FALSE);
  g_signal_connect_data(
      message, "wrote-chunk", G_CALLBACK(+[](SoupServerMessage* writing, gpointer data) { (*static_cast<Held*>(data))->send_next(writing); }),
      new Held(shared_from_this()), [](gpointer data, GClosure*) { delete static_cast<Held*>(data); }, static_cast<GConnectFlags>(0));
  send_next(message);
}

void Download::send_next(SoupServerMessage* message) {
  if (left_ == 0) {
    soup_message_body_complete(soup_server_message_get_response_body(message));
    return;
  }
  using Chunk = Ref<GBytes>;
  threads_.run<Chunk>(
      message,
      [self = shared_from_this(), at = at_, wanted = static_cast<size_t>(std::min<uint64_t>(left_, kChunk))] {
        void* data = g_malloc(wanted);
        ssize_t got;
        do
          got = pread(self->file_.fd.get(), data, wanted, static_cast<off_t>(at));
        while (got < 0 && errno == EINTR);
        if (got > 0)
          return Chunk::adopt(g_bytes_new_take(data, static_cast<gsize>(got)));
        g_free(data);
        return Chunk();
      },
      [self = shared_from_this()](SoupServerMessage* waiting, Chunk& chunk) {
        if (!chunk) {
          // It has become shorter, or cannot be read: the length that was promised cannot be kept any more.
          GST_WARNING("a file ended before its end while a viewer fetched it");
          close_connection(waiting);
          return;
        }
        const uint64_t size = g_bytes_get_size(chunk.get());
        self->at_ += size;
        self->left_ -= size;
        soup_message_body_append_bytes(soup_server_message_get_response_body(waiting), chunk.get());
      });
}

}  // namespace

void send_file(SoupServerMessage* message, const std::string& name, std::shared_ptr<const FileFolder> folder, DiskThreads& threads, FetchHold hold) {
  const auto download = std::make_shared<Download>(name, threads, std::move(hold));
  threads.run<OpenedFile>(
      message, [folder, name] { return folder->open_file(name); },
      [download](SoupServerMessage* waiting, OpenedFile& file) {
        if (file.error != FileError::kNone)
          refuse(waiting, file.error);
        else
          download->start(waiting, std::move(file));
      });
}

}  // namespace vitrine
