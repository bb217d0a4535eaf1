// SPDX-License-Identifier: LGPL-2.1-or-later
// A piece of a file, written to the disk while it comes.
#pragma once

#include <libsoup/soup.h>

#include <functional>
#include <memory>
#include <string>

#include "webrtc/files/disk-threads.h"
#include "webrtc/files/file-request.h"
#include "webrtc/files/upload-store.h"

namespace vitrine {

/// Bound to the thread of its server. Lives as long as its message; holds no more than a slice of it.
class UploadBody : public std::enable_shared_from_this<UploadBody> {
 public:
  /// Before the body is read. `place` is kept until it is over.
  static void receive(SoupServerMessage* message, FileRequest request, std::shared_ptr<UploadStore> store, DiskThreads& threads,
                      std::shared_ptr<void> place);
  /// The body that receive() saw begin has been read: writes the rest and answers.
  static void finish(SoupServerMessage* message);

 private:
  UploadBody(FileRequest request, std::shared_ptr<UploadStore> store, DiskThreads& threads, std::shared_ptr<void> place);
  void take(SoupServerMessage* message, GBytes* chunk);
  void write(SoupServerMessage* message, std::function<void(SoupServerMessage*)> then);

  const FileRequest request_;
  const std::shared_ptr<UploadStore> store_;
  DiskThreads& threads_;
  const std::shared_ptr<void> place_;
  const uint64_t writer_;
  std::string slice_;     // what is not written yet
  uint64_t discarded_ = 0;  // after a failure, since the others had their turn
  StoredPiece stored_;
};

/// How much of an upload is there.
void answer_piece(SoupServerMessage* message, const StoredPiece& piece);

}  // namespace vitrine
