// SPDX-License-Identifier: LGPL-2.1-or-later
// What players say by WHEP (draft-ietf-wish-whep-04), and what they are told: paths, fragments, tags, links. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "webrtc/turn/rtc-configuration.h"

namespace vitrine {

/// An offer, or a fragment of one, in bytes.
inline constexpr size_t kWhepBodyMax = 32 * 1024;

/// "/whep", or "/whep/<session>".
struct WhepPath {
  std::string session;  // 32 hexadecimal digits; empty: the endpoint
};
/// Nothing if the path is not WHEP's. A session's name that cannot be one is kept as it stands: nobody has it.
std::optional<WhepPath> whep_path(std::string_view path);

/// Whether a Content-Type names this type, whatever its parameters and case.
bool is_media_type(std::string_view content_type, std::string_view type);

enum class TagMatch { fits, missing, other };
/// An If-Match header against the strong entity tag, which has its quotes.
TagMatch match_tag(std::string_view if_match, std::string_view tag);

struct TrickledCandidate {
  std::string candidate, mid;
};
/// A body of application/trickle-ice-sdpfrag (RFC 8840).
struct IceFragment {
  std::string ufrag, password;
  std::vector<TrickledCandidate> candidates;
};
/// Nothing, with `error` set, when it is malformed or holds too much.
std::optional<IceFragment> parse_ice_fragment(const std::string& text, std::string& error);

/// The ufrag that an SDP begins with, empty if it has none.
std::string ice_ufrag_of(const std::string& sdp);

/// An answer with candidates that were found after it was made, and with no more to come.
std::string complete_answer(const std::string& sdp, const std::vector<std::string>& candidates);

/// Values of Link headers, one for each URL (RFC 9725, section 4.6).
std::vector<std::string> ice_server_links(const RtcConfiguration& configuration);

/// The HTTP status for what a session ends with before it has answered (docs/protocol.md, `error`).
unsigned status_of_refusal(std::string_view code);

}  // namespace vitrine
