// SPDX-License-Identifier: LGPL-2.1-or-later
// What viewers are told about files.
#pragma once

#include <libsoup/soup.h>

#include <memory>

#include "webrtc/files/file-folder.h"
#include "webrtc/files/file-request.h"

namespace vitrine {

void refuse(SoupServerMessage* message, const FileRefusal& refusal);
void refuse(SoupServerMessage* message, FileError error);

/// One of `most` places, kept until the last copy is gone; null if all are taken.
std::shared_ptr<void> take_place(const std::shared_ptr<int>& taken, int most);

}  // namespace vitrine
