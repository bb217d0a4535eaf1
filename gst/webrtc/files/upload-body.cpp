// SPDX-License-Identifier: LGPL-2.1-or-later
// Slices: the message waits while one is written, so that the sender goes as fast as the disk and no faster.
#include "webrtc/files/upload-body.h"

#include <json-glib/json-glib.h>

#include "common/ref.h"
#include "webrtc/debug.h"
#include "webrtc/files/file-answers.h"
#include "webrtc/http-exchange.h"

namespace vitrine {
namespace {

constexpr char kBodyKey[] = "vitrine-upload";
/// Large enough that the way to a disk thread and back costs little, small enough that nobody waits long for the session's thread.
constexpr size_t kSlice = 1u << 20;
using Held = std::shared_ptr<UploadBody>;

}  // namespace

UploadBody::UploadBody(FileRequest request, std::shared_ptr<UploadStore> store, DiskThreads& threads, std::shared_ptr<void> place)
    : request_(std::move(request)),
      store_(std::move(store)),
      threads_(threads),
      place_(std::move(place)),
      writer_(store_->take(request_.id)) {
  stored_.size = request_.offset;
}

void UploadBody::receive(SoupServerMessage* message, FileRequest request, std::shared_ptr<UploadStore> store, DiskThreads& threads,
                         std::shared_ptr<void> place) {
  const Held body(new UploadBody(std::move(request), std::move(store), threads, std::move(place)));
  keep_body(message);
  g_object_set_data_full(G_OBJECT(message), kBodyKey, new Held(body), [](gpointer data) { delete static_cast<Held*>(data); });
  g_signal_connect(message, "got-chunk", G_CALLBACK(+[](SoupServerMessage* reading, GBytes* chunk, gpointer data) {
                     static_cast<UploadBody*>(data)->take(reading, chunk);
                   }),
                   body.get());
}

void UploadBody::take(SoupServerMessage* message, GBytes* chunk) {
  gsize length = 0;
  const auto* bytes = static_cast<const char*>(g_bytes_get_data(chunk, &length));
  if (stored_.error != FileError::kNone) {
    discarded_ += length;
    if (discarded_ >= kSlice) {
      discarded_ = 0;
      yield_to_others(message);
    }
    return;
  }
  slice_.append(bytes, length);
  if (slice_.size() >= kSlice)
    write(message, [](SoupServerMessage*) {});
}

void UploadBody::write(SoupServerMessage* message, std::function<void(SoupServerMessage*)> then) {
  const auto slice = std::make_shared<const std::string>(std::move(slice_));
  slice_ = {};
  const auto self = shared_from_this();
  threads_.run<StoredPiece>(
      message,
      [self, slice, offset = stored_.size] {
        const FileRequest& request = self->request_;
        return self->store_->append(request.id, self->writer_, request.name, offset, request.size, slice->data(), slice->size());
      },
      [self, then](SoupServerMessage* waiting, StoredPiece& stored) {
        self->stored_ = std::move(stored);
        then(waiting);
      });
}

void UploadBody::finish(SoupServerMessage* message) {
  const auto* held = static_cast<Held*>(g_object_get_data(G_OBJECT(message), kBodyKey));
  if (!held)
    return;
  const Held body = *held;
  const bool settled = body->stored_.error != FileError::kNone || (body->slice_.empty() && !body->stored_.name.empty());
  if (settled)
    answer_piece(message, body->stored_);
  else
    body->write(message, [body](SoupServerMessage* waiting) { answer_piece(waiting, body->stored_); });
}

void answer_piece(SoupServerMessage* message, const StoredPiece& piece) {
  set_header(message, "Upload-Offset", std::to_string(piece.size));
  if (piece.error != FileError::kNone) {
    refuse(message, piece.error);
    return;
  }
  set_header(message, "Cache-Control", "no-store");
  if (piece.name.empty()) {
    respond(message, SOUP_STATUS_OK, "application/json", "{}\n");
    return;
  }
  GST_INFO("a viewer's file has arrived, %" G_GUINT64_FORMAT " bytes", piece.size);
  JsonNode* node = json_node_alloc();
  json_node_init_string(node, piece.name.c_str());
  GCharPtr name(json_to_string(node, FALSE));
  json_node_unref(node);
  respond(message, SOUP_STATUS_CREATED, "application/json", std::string("{\"name\":") + name.get() + "}\n");
}

}  // namespace vitrine
