// SPDX-License-Identifier: LGPL-2.1-or-later
// Any bytes as what a microphone says: the frame around it, and the Opus packet in it, which has to be judged as libopus judges it.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#ifdef HAVE_OPUS
#include <opus.h>
#endif

#include "protocol/frame-record.h"
#include "webrtc/opus-check.h"

using namespace vitrine;

namespace {

void require(bool holds, const char* what) {
  if (holds)
    return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

void judge(std::span<const uint8_t> packet) {
  const bool sound = opus_packet_is_sound(packet);
  require(!sound || (!packet.empty() && packet.size() <= kOpusPacketMax), "packets are bounded");
#ifdef HAVE_OPUS
  opus_int16 sizes[48];
  const bool parsed = !packet.empty() && packet.size() <= kOpusPacketMax &&
                      opus_packet_parse(packet.data(), static_cast<opus_int32>(packet.size()), nullptr, nullptr, sizes, nullptr) > 0;
  require(sound == parsed, "the decoder takes what passes, and nothing else");
#endif
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> bytes(data, size);
  judge(bytes);
  if (const auto packet = decode_talk(bytes)) {
    require(packet->data() == data + kTalkHeaderSize && packet->size() == size - kTalkHeaderSize, "the packet is the rest of the message");
    judge(*packet);
  }
  return 0;
}
