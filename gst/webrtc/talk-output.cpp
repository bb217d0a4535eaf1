// SPDX-License-Identifier: LGPL-2.1-or-later
// What is said, towards the desktop.
#include "webrtc/talk-output.h"

#include <glib.h>

#include "webrtc/opus-check.h"

namespace vitrine {

void TalkOutput::set_talker(const std::string& viewer) {
  MutexLock lock(mutex_);
  talker_ = viewer;
}

bool TalkOutput::push(const std::string& viewer, std::span<const uint8_t> packet) {
  {
    MutexLock lock(mutex_);
    if (talker_ != viewer || viewer.empty() || !opus_packet_is_sound(packet) || !rate_.take(g_get_monotonic_time()))
      return false;
  }
  push_(Ref<GstBuffer>::adopt(gst_buffer_new_memdup(packet.data(), packet.size())));
  return true;
}

}  // namespace vitrine
