// SPDX-License-Identifier: LGPL-2.1-or-later
// Transport-wide feedback of an authenticated viewer: through the parser, the send log and the controller. Whatever comes, the target stays within its
// limits.
#include <algorithm>
#include <cstdlib>

#include "webrtc/rate/rate-controller.h"
#include "webrtc/rate/report-loss.h"
#include "webrtc/rate/send-log.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vitrine;
  SendLog log;
  RateController controller({300e3, 4e6, 50e6});
  int64_t now_us = 1'000'000;
  uint16_t sequence = 0;
  std::span<const uint8_t> rest(data, size);
  while (!rest.empty()) {
    for (int i = 0; i < 8; ++i, now_us += 1000) {
      controller.sent(now_us, 1200);
      log.sent(sequence++, static_cast<uint64_t>(now_us), 1200, now_us);
    }
    const size_t part = std::min<size_t>(rest.size(), size_t{1} + rest[0]);
    controller.feedback(now_us, log.take(rest.subspan(1, part - 1), now_us));
    reported_loss(rest, 1);
    find_twcc(rest, [](std::span<const uint8_t> fci) { parse_twcc(fci); });
    controller.tick(now_us);
    rest = rest.subspan(part);
    if (!(controller.target_bps() >= 300e3 && controller.target_bps() <= 50e6))
      abort();
  }
  return 0;
}
