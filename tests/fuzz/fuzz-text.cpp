// SPDX-License-Identifier: LGPL-2.1-or-later
// Text of viewers and of HTTP requests: session messages, SDP answers, Host headers, cookies, paths. The first byte chooses.
#include <string>

#include "webrtc/accounts.h"
#include "webrtc/candidates.h"
#include "webrtc/message.h"
#include "webrtc/sdp.h"
#include "webrtc/static-files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vitrine;
  if (size == 0)
    return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  std::string error;
  switch (data[0] % 6) {
    case 0:
      parse_viewer_message(text, error);
      break;
    case 1:
      edit_desktop_message(text, "from", "peer");
      break;
    case 2:
      if (const auto facts = read_answer(text, error))
        certificate_fingerprint(text, facts->fingerprints[0].algorithm);
      break;
    case 3:
      edit_offer(text, {true, {"candidate:1 1 UDP 1 192.0.2.1 8080 typ host"}, "42e01f"});
      break;
    case 4:
      if (const auto host = parse_host_port(text)) {
        CandidateInputs inputs;
        inputs.host_header = text;
        inputs.port = 8080;
        make_candidates(inputs);
      }
      break;
    default:
      cookie_value(text, "vitrine_session");
      find_static_file("/usr/share/common-licenses", "/" + text);
      json_string(text);
  }
  return 0;
}
