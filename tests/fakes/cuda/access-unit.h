// SPDX-License-Identifier: LGPL-2.1-or-later
// Access units as the fake encoder makes them: right framing, headers before keyframes, and a text instead of a picture.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace vitrine {

enum class FakeCodec { kH264, kH265, kAv1 };

inline void append_nal(std::vector<uint8_t>* to, std::initializer_list<uint8_t> header, const std::string& payload) {
  to->insert(to->end(), {0, 0, 0, 1});
  to->insert(to->end(), header);
  to->insert(to->end(), payload.begin(), payload.end());  // text: no start code can arise
}

/// With a size of one byte: AV1 specification, 5.3.
inline void append_obu(std::vector<uint8_t>* to, unsigned type, const std::string& payload) {
  to->push_back(static_cast<uint8_t>(type << 3 | 2));
  to->push_back(static_cast<uint8_t>(payload.size() & 0x7f));
  to->insert(to->end(), payload.begin(), payload.end());
}

inline std::vector<uint8_t> make_access_unit(FakeCodec codec, bool key, const std::string& text) {
  std::vector<uint8_t> unit;
  switch (codec) {
    case FakeCodec::kH264:
      if (key) {
        append_nal(&unit, {0x67}, "sps");
        append_nal(&unit, {0x68}, "pps");
      }
      append_nal(&unit, {static_cast<uint8_t>(key ? 0x65 : 0x41)}, text);
      break;
    case FakeCodec::kH265:
      if (key) {
        append_nal(&unit, {0x40, 0x01}, "vps");
        append_nal(&unit, {0x42, 0x01}, "sps");
        append_nal(&unit, {0x44, 0x01}, "pps");
      }
      append_nal(&unit, {static_cast<uint8_t>(key ? 0x26 : 0x02), 0x01}, text);
      break;
    case FakeCodec::kAv1:
      append_obu(&unit, 2, "");  // temporal delimiter
      if (key)
        append_obu(&unit, 1, "sps");  // sequence header
      append_obu(&unit, 6, text);     // frame
      break;
  }
  return unit;
}

}  // namespace vitrine
