// SPDX-License-Identifier: LGPL-2.1-or-later
// STUN requests and RFC 4571 frames from anybody who reaches the port, and answers of TURN servers.
#include "webrtc/stun.h"
#include "webrtc/tcp-framing.h"
#include "webrtc/turn/turn-allocation.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vitrine;
  const auto packet = [](std::span<const uint8_t> bytes) {
    if (const auto request = parse_binding_request(bytes)) {
      check_integrity(bytes, request->integrity_offset, "password");
      binding_response(*request, {}, "password");
      request->local_ufrag();
      request->remote_ufrag();
    }
    if (const auto response = parse_binding_response(bytes))
      check_integrity(bytes, response->integrity_offset, "password");
  };
  packet({data, size});
  // Of our transaction, so that there is more to look at.
  const StunTransaction transaction = looks_like_stun({data, size}) ? stun_transaction({data, size}) : StunTransaction{};
  TurnAllocation allocation("user", "password", [&] { return transaction; });
  allocation.take({data, size});
  classify_first_bytes({data, size});
  FrameReader reader;
  const size_t half = size / 2;
  if (reader.push({data, half}, packet))
    reader.push({data + half, size - half}, packet);
  return 0;
}
