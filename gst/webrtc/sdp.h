// SPDX-License-Identifier: LGPL-2.1-or-later
// Edits of the SDP text that goes to the browser, and checks of what comes back. Pure string work (RFC 8866, RFC 8829).
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace vitrine {

/// What the offer's text needs beyond what webrtcbin writes.
struct OfferEdits {
  bool ice_lite = true;
  /// Candidate attributes without "a=", for the first media section (everything is bundled).
  std::vector<std::string> candidates;
  /// Encoding name of the video, as in rtpmap, and what its fmtp lines become; without parameters they are left alone.
  std::string video_encoding, video_parameters;
  /// Leaves webrtcbin's candidates in.
  bool keep_candidates = false;
};

/// The offer as sent to the browser: candidates of ours only, ice-lite, end-of-candidates, H.264 fmtp.
std::string edit_offer(const std::string& sdp, const OfferEdits& edits);

/// The lines of an SDP, without their ends and without empty ones.
std::vector<std::string> sdp_lines(const std::string& sdp);

/// The mid of each media section, in order; empty where there is none.
std::vector<std::string> media_ids(const std::string& sdp);

struct Fingerprint {
  std::string algorithm;  // lower case, e.g. "sha-256"
  std::string value;      // upper case hex pairs with colons
};

struct AnswerFacts {
  std::vector<Fingerprint> fingerprints;  // of all sections; they must agree
  std::string ufrag;                      // of the first section
  size_t media_sections = 0;
  bool video_rejected = false;            // a video section with port 0 (RFC 3264 §6): the codec is not played
};

/// Reads what must be right in an answer. Nothing, with `error` set, when it is unusable: no fingerprint, several different ones,
/// no ICE credentials, control characters, or too many sections.
std::optional<AnswerFacts> read_answer(const std::string& sdp, std::string& error);

/// The SHA fingerprint of a PEM certificate in the form that SDP uses; empty when the PEM or the algorithm is not understood.
std::string certificate_fingerprint(const std::string& pem, const std::string& algorithm);

/// Format parameters of a codec ("H264", "VP9") with the profile that its caps name; empty where there is nothing to say.
/// H.264 (RFC 6184 §8.1): "constrained-baseline", "main", "high", "high-4:4:4"; the level announced is 3.1: browsers decode higher ones, but
/// some refuse to negotiate them. VP9 (RFC 9628 §6): profile "1" has 4:4:4.
std::string video_parameters(const std::string& codec, const std::string& profile);

}  // namespace vitrine
