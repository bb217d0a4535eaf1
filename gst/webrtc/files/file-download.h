// SPDX-License-Identifier: LGPL-2.1-or-later
// A file on its way to a viewer, a chunk at a time.
#pragma once

#include <libsoup/soup.h>

#include <memory>
#include <string>

#include "webrtc/files/disk-threads.h"
#include "webrtc/files/file-folder.h"

namespace vitrine {

/// What is kept until a file is over.
struct FetchHold {
  std::shared_ptr<void> place, pace;
};

/// Answers GET and HEAD, whole or from where it was cut off.
void send_file(SoupServerMessage* message, const std::string& name, std::shared_ptr<const FileFolder> folder, DiskThreads& threads,
               FetchHold hold);

}  // namespace vitrine
