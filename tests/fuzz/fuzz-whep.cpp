// SPDX-License-Identifier: LGPL-2.1-or-later
// What players send by WHEP beside their offer: paths, types, tags, fragments. The first line is the header or path, the rest a body.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "webrtc/origins.h"
#include "webrtc/whep/whep-request.h"

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vitrine;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string head = text.substr(0, end), body = text.substr(std::min(end + 1, text.size()));

  if (const auto path = whep_path(head))
    require(head == (path->session.empty() ? "/whep" : "/whep/" + path->session));
  if (is_media_type(head, "application/sdp"))
    require(head.size() >= 15);
  if (match_tag(head, "\"0123\"") == TagMatch::fits)
    require(head.find('*') != std::string::npos || head.find("\"0123\"") != std::string::npos);
  std::string error;
  if (const auto origins = AllowedOrigins::parse(head, error); !origins)
    require(!error.empty());

  error.clear();
  const auto fragment = parse_ice_fragment(body, error);
  require(fragment || !error.empty());
  if (!fragment)
    return 0;
  std::vector<std::string> candidates;
  for (const auto& trickled : fragment->candidates) {
    require(trickled.candidate.starts_with("candidate:") && trickled.candidate.find_first_of("\r\n") == std::string::npos);
    require(trickled.mid.size() <= 32);
    candidates.push_back(trickled.candidate);
  }
  const std::string answer = complete_answer("v=0\r\nm=video 9 x 96\r\na=mid:0\r\n", candidates);
  require(answer.find("a=end-of-candidates\r\n") != std::string::npos);
  const auto again = parse_ice_fragment(answer, error);
  require(!again || again->candidates.size() <= candidates.size());
  RtcConfiguration configuration;
  configuration.servers.push_back({{IceUrl{true, false, false, "turn.example", 3478}}, head, body});
  for (const auto& link : ice_server_links(configuration))
    require(link.find_first_of("\r\n") == std::string::npos);
  return 0;
}
