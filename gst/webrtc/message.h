// SPDX-License-Identifier: LGPL-2.1-or-later
// Session messages: the JSON part of the wire (docs/protocol.md, section 2). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/json-object.h"
#include "webrtc/latency/latency-meter.h"

namespace vitrine {

inline constexpr size_t kMessageMax = 65536;

// What a viewer says. Each struct is one message type.
struct HelloMessage {
  std::vector<std::string> codecs;   // by WebRTC
  std::vector<std::string> decodes;  // by WebSocket
  bool webrtc = true, websocket = false;
  bool frames = false;  // wants to be told of frames, to measure latency
  std::string client, name, resume;
  std::string offer;         // its own SDP, which is answered; empty: it waits for ours
  bool renegotiates = true;  // takes a second offer; who makes its own does not
};
struct AnswerMessage {
  int64_t id = 0;
  std::string sdp;
};
struct CandidateMessage {
  std::string candidate, mid;
};
struct PingMessage {
  double t = 0;
};
struct KeyframeMessage {};
struct VisibleMessage {
  bool value = true;
};
struct RenegotiateMessage {
  std::optional<int64_t> id;  // of the offer that it has, if it says so
};
struct ControlRequestMessage {};
struct ControlReleaseMessage {};
struct ControlAnswerMessage {
  std::string peer;
  bool granted = false;
};
/// The viewer wants to be heard on the desktop, or not any more.
struct MicrophoneMessage {
  bool on = false;
};
/// Input records of a viewer whose session has no binary messages, as by an external signalling server.
struct InputMessage {
  static constexpr size_t kMax = 4096;  // bytes
  std::vector<uint8_t> records;
};
struct ByeMessage {};
/// First message of a media socket.
struct AttachMessage {
  std::string token;
};
/// The first picture of this offer is there.
struct MediaShownMessage {
  int64_t id = 0;
};
/// When frames were shown.
struct LatencyMessage {
  LatencyReport report;
};
/// Passed on to the desktop elements: the message's text without changes.
struct DesktopMessage {
  std::string text;
};
struct UnknownMessage {};

using ViewerMessage =
    std::variant<UnknownMessage, HelloMessage, AnswerMessage, CandidateMessage, PingMessage, KeyframeMessage,
                 VisibleMessage, RenegotiateMessage, ControlRequestMessage, ControlReleaseMessage,
                 ControlAnswerMessage, MicrophoneMessage, InputMessage, ByeMessage, AttachMessage, MediaShownMessage, LatencyMessage, DesktopMessage>;

/// Parses one text frame. Nothing on a malformed message; `error` then says which member is wrong, never its value.
std::optional<ViewerMessage> parse_viewer_message(std::string_view text, std::string& error);

/// The text of a desktop message with member `name` set to `value`, or removed if `value` is null. Nothing if it is no JSON object
/// with a type starting with "desktop/". The former value of `name`, if it was a string, goes to `former`.
std::optional<std::string> edit_desktop_message(std::string_view text, const char* name, const char* value,
                                                std::string* former = nullptr);

/// Writes one JSON object, member by member.
class MessageWriter {
 public:
  explicit MessageWriter(const char* type);
  MessageWriter& text(const char* name, std::string_view value);
  MessageWriter& number(const char* name, double value);
  MessageWriter& boolean(const char* name, bool value);
  MessageWriter& null(const char* name);
  /// `json` is put in as it stands.
  MessageWriter& raw(const char* name, std::string_view json);
  std::string finish();

 private:
  void member(const char* name);
  std::string out_;
};

}  // namespace vitrine
