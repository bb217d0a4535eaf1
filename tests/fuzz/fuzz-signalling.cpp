// SPDX-License-Identifier: LGPL-2.1-or-later
// Offers of browsers, and lines of the demos' signalling protocol, as client and as server. The first byte chooses.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "webrtc/message.h"
#include "webrtc/sdp-offer.h"
#include "webrtc/signalling/demo-dialect.h"
#include "webrtc/signalling/signalling-hub.h"

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

void offer(const std::string& text) {
  using namespace vitrine;
  std::string error;
  const auto offer = read_offer(text, error);
  require(offer || !error.empty());
  if (!offer)
    return;
  codecs_of(*offer);
  const auto plan = plan_answer(*offer, {{true, "H264", "main"}, {false, "OPUS", ""}, {true, "VP9", "1"}});
  for (const auto& place : plan.places)
    require(!place || (place->section < offer->media.size() && offer->media[place->section].receives));
  const auto shown = read_offer(plan.sdp, error);
  require(shown && shown->media.size() == offer->media.size());
}

/// Each line of the text is one of the peer's.
void peer(const std::string& text) {
  vitrine::DemoDialect dialect;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    const std::string line = text.substr(start, end - start);
    std::string error;
    const bool began = dialect.began();
    const auto json = dialect.from_peer(vitrine::parse_signalling_line(line), line);
    if (json && !began)
      dialect.to_peer(R"({"type":"offer","id":1,"sdp":"m=video 9 x\r\na=mid:0\r\n"})");
    if (json && *json != line)
      require(vitrine::parse_viewer_message(*json, error) || json->size() > 4096 || !error.empty());
    start = end + 1;
  }
}

/// Each line is of the peer that its first letter names, or closes it.
void server(const std::string& text) {
  using namespace vitrine;
  size_t closed = 0;
  SignallingHub hub({.peers = 4}, {[](auto, const std::string&) {}, [&closed](auto, int, const std::string&) { ++closed; }});
  int64_t now_us = 1;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    const SignallingHub::Key key = 1 + text[start] % 6;
    const std::string line = text.substr(start + 1, end > start ? end - start - 1 : 0);
    now_us += 1000;
    if (line == "open")
      hub.opened(key, now_us);
    else if (line == "close")
      hub.closed(key);
    else
      hub.text(key, line, now_us);
    require(hub.peers() <= 4 && hub.sessions() * 2 <= hub.peers());
    start = end + 1;
  }
  hub.tick(now_us + 60'000'000);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0)
    return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 3) {
    case 0:
      offer(text);
      break;
    case 1:
      peer(text);
      break;
    default:
      server(text);
  }
  return 0;
}
