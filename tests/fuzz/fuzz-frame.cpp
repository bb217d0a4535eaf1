// SPDX-License-Identifier: LGPL-2.1-or-later
// Any bytes as frames, as acknowledgements, as a window's life, and as keyframes of H.264.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

#include "protocol/frame-record.h"
#include "webrtc/ws-parameter-sets.h"
#include "webrtc/ws-window.h"

using namespace vitrine;

namespace {

void require(bool holds, const char* what) {
  if (holds)
    return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// Two bytes a step: send, acknowledge rightly or wrongly, let time pass.
void live(std::span<const uint8_t> steps) {
  WsWindow window;
  uint32_t sent = 0, acknowledged = 0;
  int64_t now_us = 1;
  std::vector<Delivery> deliveries;
  for (size_t i = 0; i + 1 < steps.size(); i += 2) {
    const uint8_t what = steps[i] % 4, how = steps[i + 1];
    if (what == 0) {
      const uint32_t size = 1 + how * 100'000u;
      if (window.admits(size, now_us))
        window.sent({FrameKind::video, true, ++sent, sent, 0, 0, size}, now_us);
    } else if (what == 1) {
      const FrameAck ack{acknowledged + 1, acknowledged + 1 + (how == 255), how * 10'000'000u, how};
      const bool right = acknowledged < sent && how != 255;
      require(window.acknowledged({&ack, 1}, now_us, deliveries) == right, "only frames that were sent are acknowledged");
      acknowledged += right;
    } else {
      now_us += how * 5'000;
    }
    require(window.frames() == sent - acknowledged, "every frame is accounted for");
    require(window.bytes() <= std::max<size_t>(WsWindow::kBytesMax, 1 + 255 * 100'000u), "the window is bounded");
    require(window.frames() <= WsWindow::kFramesMax, "so are its frames");
    require((window.bytes() == 0) == (window.frames() == 0), "no bytes without a frame");
  }
  require(deliveries.size() == acknowledged, "every acknowledgement is told");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> bytes(data, size);
  if (const auto frame = decode_frame(bytes)) {
    const auto again = encode_frame_header(*frame);
    require(std::equal(again.begin(), again.end(), bytes.begin()), "a frame's header says all");
  }
  if (const auto acks = decode_acks(bytes)) {
    const auto again = encode_acks(*acks);
    require(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()), "acknowledgements say all");
  }
  live(bytes);
  ParameterSets sets;
  require(sets.missing(bytes).empty(), "nothing was kept yet");
  const uint8_t bare[] = {0, 0, 1, 0x65, 0};
  require(sets.missing(bare).size() <= 2 * size + 8, "no more is kept than came");
  return 0;
}
