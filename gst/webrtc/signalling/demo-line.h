// SPDX-License-Identifier: LGPL-2.1-or-later
// Lines of the signalling protocol of GStreamer's WebRTC demos: HELLO, SESSION, JSON with "sdp" or "ice", ERROR. Pure.
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace vitrine {

/// What a line may have at most, in bytes: a description as JSON.
inline constexpr size_t kSignallingLineMax = 128 * 1024;
inline constexpr size_t kPeerIdMax = 64;

/// 1 to kPeerIdMax printable characters without spaces.
bool is_peer_id(std::string_view id);

namespace line {
struct Hello {};                      // we are registered
struct SessionOk {};                  // the peer that we called is there
struct Error {
  std::string text;
};
struct OfferRequest {};               // the peer wants our offer
struct Description {
  bool offer = false;
  std::string sdp;
};
struct Candidate {
  std::string candidate, mid;
  int index = 0;                      // of the media section
};
struct Session {};                    // a message of our own page, docs/protocol.md section 2
struct Unknown {};
}  // namespace line

using SignallingLine = std::variant<line::Unknown, line::Hello, line::SessionOk, line::Error, line::OfferRequest, line::Description,
                                    line::Candidate, line::Session>;

/// Reads what a server, or a peer through it, says to a client. What is malformed is unknown.
SignallingLine parse_signalling_line(std::string_view text);

std::string description_line(bool offer, std::string_view sdp);
std::string candidate_line(std::string_view candidate, std::string_view mid, size_t index);

}  // namespace vitrine
