// SPDX-License-Identifier: LGPL-2.1-or-later
// Refusals and their words.
#include "webrtc/files/file-answers.h"

#include <string>

#include "webrtc/http-exchange.h"

namespace vitrine {
namespace {

constexpr guint kConflict = 409, kTooManyRequests = 429, kInsufficientStorage = 507;

FileRefusal refusal_of(FileError error) {
  switch (error) {
    case FileError::kNoFolder:
      return {SOUP_STATUS_SERVICE_UNAVAILABLE, "the folder for files is not there"};
    case FileError::kWrongOffset:
      return {kConflict, "the file goes on elsewhere: Upload-Offset tells where"};
    case FileError::kNoSpace:
      return {kInsufficientStorage, "there is no room for this file"};
    case FileError::kNotFound:
      return {SOUP_STATUS_NOT_FOUND, "there is no such file"};
    case FileError::kRefused:
      return {SOUP_STATUS_FORBIDDEN, "something in the folder is in the way, or may not be written"};
    default:
      return {SOUP_STATUS_INTERNAL_SERVER_ERROR, "the file could not be written or read"};
  }
}

}  // namespace

void refuse(SoupServerMessage* message, const FileRefusal& refusal) {
  if (refusal.status == kTooManyRequests)
    set_header(message, "Retry-After", "1");
  set_header(message, "Cache-Control", "no-store");
  // So that what a proxy in between refuses can be told from what we do.
  set_header(message, "Vitrine-Refusal", std::to_string(refusal.status));
  respond(message, refusal.status, "text/plain", std::string(refusal.why) + "\n");
}

void refuse(SoupServerMessage* message, FileError error) { refuse(message, refusal_of(error)); }

std::shared_ptr<void> take_place(const std::shared_ptr<int>& taken, int most) {
  if (*taken >= most)
    return nullptr;
  ++*taken;
  return std::shared_ptr<void>(taken.get(), [taken](void*) { --*taken; });
}

}  // namespace vitrine
