// SPDX-License-Identifier: LGPL-2.1-or-later
// A browser's own offer, which plain players make (WHEP, demos): what it takes, and the little of it that webrtcbin is shown. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "webrtc/sdp.h"

namespace vitrine {

struct OfferedFormat {
  std::string codec;  // upper case
  int payload_type = 0;
  std::string fmtp;   // parameters as they stand
};

struct OfferedMedia {
  std::string kind, mid;
  bool receives = false;  // it would like to get media here
  std::vector<OfferedFormat> formats;
  int transport_wide_id = 0, playout_delay_id = 0;  // of header extensions; 0: not offered
};

struct RemoteOffer {
  std::string sdp;
  std::vector<Fingerprint> fingerprints;
  std::vector<OfferedMedia> media;
};

/// Reads an offer. Nothing, with `error` set, when it is unusable: what read_answer() refuses, and payload types or extensions out of range.
std::optional<RemoteOffer> read_offer(const std::string& sdp, std::string& error);

/// The codecs in which it takes media, upper case.
std::vector<std::string> codecs_of(const RemoteOffer& offer);

/// A stream of ours.
struct StreamKind {
  bool video = false;
  std::string codec, profile;
};

/// Where in the offer a stream goes.
struct StreamPlace {
  size_t section = 0;
  int payload_type = 0;
  int transport_wide_id = 0, playout_delay_id = 0;
};

struct OfferPlan {
  std::vector<std::optional<StreamPlace>> places;  // one for each stream; nothing where the offer takes no such stream
  /// The offer with nothing in it but the formats, extensions and candidates that are used: webrtcbin accepts all that it is shown.
  std::string sdp;
};
OfferPlan plan_answer(const RemoteOffer& offer, const std::vector<StreamKind>& streams);

/// webrtcbin's answer as sent to the browser: ours are the candidates only, and ice-lite.
std::string edit_answer(const std::string& sdp, bool ice_lite, const std::vector<std::string>& candidates);

}  // namespace vitrine
