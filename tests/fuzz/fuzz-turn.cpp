// SPDX-License-Identifier: LGPL-2.1-or-later
// RTC configurations of files and services, streams of TURN servers, headers of proxies. What is taken must read the same when it is written.
#include <cstdlib>

#include "webrtc/forwarded.h"
#include "webrtc/turn/rtc-configuration.h"
#include "webrtc/turn/turn-framing.h"

using namespace vitrine;

static void check(bool good) {
  if (!good)
    std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::string error;
  if (const auto configuration = parse_rtc_configuration(text, error)) {
    const auto again = parse_rtc_configuration(rtc_configuration_json(*configuration), error);
    check(again && again->servers.size() == configuration->servers.size() && again->relay_only == configuration->relay_only);
  } else {
    check(!error.empty());
  }
  if (const auto url = parse_ice_url(text, "turn", error))
    check(parse_ice_url(to_string(*url), "turn", error) == url);

  const std::string frame = turn_stream_frame({data, size});
  check(frame.size() <= size + 3);
  size_t taken = 0;
  TurnStreamReader reader;
  const auto count = [&](std::span<const uint8_t> message) { taken += message.size(); };
  if (reader.take({data, size / 2}, count))
    reader.take({data + size / 2, size - size / 2}, count);
  check(taken <= size);

  if (const auto proxies = TrustedProxies::parse(text, error))
    proxies->trusts("10.0.0.1");
  const auto all = TrustedProxies::parse("0.0.0.0/0 ::/0", error);
  request_origin(*all, {"10.0.0.1", "host", false}, {text, text, text, text});
  return 0;
}
