// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading offers, and cutting them down.
#include "webrtc/sdp-offer.h"

#include <glib.h>

#include <algorithm>
#include <cstdlib>

#include "webrtc/rate/transport-wide.h"

namespace vitrine {
namespace {

constexpr char kPlayoutDelayUri[] = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";
constexpr size_t kFormatsMax = 128, kCandidatesMax = 100;

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return g_ascii_toupper(c); });
  return text;
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find(' ', start), text.size());
    if (end > start)
      words.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

/// The number that `text` starts with, up to a space, slash or its end; -1 if that is none from 0 to `most`.
int number_at(const std::string& text, int most) {
  const std::string digits = text.substr(0, text.find_first_of(" /"));
  if (digits.empty() || digits.size() > 5 || digits.find_first_not_of("0123456789") != std::string::npos)
    return -1;
  const int number = std::atoi(digits.c_str());
  return number <= most ? number : -1;
}

/// What follows the first space.
std::string rest_of(const std::string& text) {
  const size_t space = text.find(' ');
  return space == std::string::npos ? "" : text.substr(space + 1);
}

/// The value of a parameter in "a=1;b=2", empty if it is not there.
std::string parameter(const std::string& fmtp, const std::string& name) {
  for (size_t start = 0; start < fmtp.size();) {
    size_t end = std::min(fmtp.find(';', start), fmtp.size());
    size_t from = fmtp.find_first_not_of(' ', start);
    if (from < end && fmtp.compare(from, name.size() + 1, name + "=") == 0)
      return fmtp.substr(from + name.size() + 1, end - from - name.size() - 1);
    start = end + 1;
  }
  return "";
}

bool is_direction(const std::string& line) {
  return line == "a=sendrecv" || line == "a=sendonly" || line == "a=recvonly" || line == "a=inactive";
}

/// How well a format fits a stream; 0: not at all.
int fitness(const OfferedFormat& format, const StreamKind& stream) {
  if (format.codec != stream.codec)
    return 0;
  if (stream.codec == "H264") {
    if (parameter(format.fmtp, "packetization-mode") != "1")
      return 0;
    const std::string asked = parameter(format.fmtp, "profile-level-id"),
                      ours = parameter(video_parameters(stream.codec, stream.profile), "profile-level-id");
    // What is nearest: the same profile with the same constraints, the same profile, another one, which browsers decode all the same.
    return g_ascii_strncasecmp(asked.c_str(), ours.c_str(), 4) == 0 ? 3 : g_ascii_strncasecmp(asked.c_str(), ours.c_str(), 2) == 0 ? 2 : 1;
  }
  if (stream.codec == "VP9") {
    const std::string profile = parameter(format.fmtp, "profile-id");
    return (profile.empty() ? "0" : profile) == (stream.profile.empty() ? "0" : stream.profile) ? 1 : 0;
  }
  return 1;
}

bool keeps_feedback(const std::string& kind) {
  return kind == "nack" || kind == "nack pli" || kind == "ccm fir" || kind == "transport-cc";
}

/// The lines of one media section that webrtcbin is shown.
class SectionCutter {
 public:
  SectionCutter(const OfferedMedia& media, const StreamPlace* place) : media_(media), place_(place) {
    for (const auto& format : media.formats)
      if (place ? format.payload_type == place->payload_type ||
                      (format.codec == "RTX" && parameter(format.fmtp, "apt") == std::to_string(place->payload_type))
                : kept_.empty())
        kept_.push_back(format.payload_type);
  }

  /// The line, another one in its place, or "" to leave it out.
  std::string cut(const std::string& line) {
    if (media_.kind == "application")
      return line;
    if (line.starts_with("m=")) {
      const auto words = words_of(line);
      std::string shown = words[0] + " " + words[1] + " " + words[2];
      for (const int payload : kept_)
        shown += " " + std::to_string(payload);
      return shown;
    }
    if (is_direction(line))
      return place_ ? "a=recvonly" : "a=inactive";
    for (const char* name : {"a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"})
      if (line.starts_with(name)) {
        const std::string value = line.substr(std::string(name).size());
        const bool kept = std::find(kept_.begin(), kept_.end(), number_at(value, 127)) != kept_.end();
        return kept && (!line.starts_with("a=rtcp-fb:") || keeps_feedback(rest_of(value))) ? line : "";
      }
    if (line.starts_with("a=extmap:")) {
      const int id = number_at(line.substr(9), 255);
      return place_ && id > 0 && (id == place_->transport_wide_id || id == place_->playout_delay_id) ? line : "";
    }
    for (const char* name : {"a=ssrc", "a=msid", "a=rid", "a=simulcast"})
      if (line.starts_with(name))
        return "";
    return line;
  }

 private:
  const OfferedMedia& media_;
  const StreamPlace* place_;
  std::vector<int> kept_;
};

}  // namespace

std::optional<RemoteOffer> read_offer(const std::string& sdp, std::string& error) {
  const auto facts = read_answer(sdp, error);
  if (!facts)
    return std::nullopt;
  RemoteOffer offer;
  offer.sdp = sdp;
  offer.fingerprints = facts->fingerprints;
  bool session_receives = true, open = false;
  const auto fail = [&error](const char* what) {
    error = what;
    return std::nullopt;
  };
  for (const auto& line : sdp_lines(sdp)) {
    if (line.starts_with("m=")) {
      const auto words = words_of(line.substr(2));
      if (words.size() < 4)
        return fail("malformed media section");
      OfferedMedia media;
      media.kind = words[0];
      open = words[1] != "0";
      media.receives = session_receives && open;
      if (media.kind == "audio" || media.kind == "video")
        for (size_t i = 3; i < words.size(); ++i) {
          const int payload = number_at(words[i], 127);
          if (payload < 0 || media.formats.size() >= kFormatsMax)
            return fail("payload type out of range");
          media.formats.push_back({"", payload, ""});
        }
      else if (media.kind != "application")
        return fail("media section of an unknown kind");
      offer.media.push_back(std::move(media));
      continue;
    }
    const bool closed = line == "a=sendonly" || line == "a=inactive";
    if (offer.media.empty()) {
      session_receives = session_receives && !closed;
      continue;
    }
    auto& media = offer.media.back();
    if (is_direction(line))
      media.receives = !closed && open;  // wins over the session's
    else if (line.starts_with("a=mid:"))
      media.mid = line.substr(6);
    else if (line.starts_with("a=rtpmap:") || line.starts_with("a=fmtp:")) {
      const bool map = line[2] == 'r';
      const std::string value = line.substr(map ? 9 : 7);
      const int payload = number_at(value, 127);
      if (payload < 0)
        return fail("payload type out of range");
      const auto found = std::find_if(media.formats.begin(), media.formats.end(), [&](const auto& f) { return f.payload_type == payload; });
      if (found == media.formats.end())
        continue;
      const std::string rest = rest_of(value);
      if (map)
        found->codec = upper(rest.substr(0, rest.find('/')));
      else
        found->fmtp = rest;
    } else if (line.starts_with("a=extmap:")) {
      const std::string value = line.substr(9);
      const int id = number_at(value, 255);
      if (id <= 0)
        return fail("header extension out of range");
      const std::string rest = rest_of(value), uri = rest.substr(0, rest.find(' '));
      // Longer ids would need two-byte headers.
      if (id <= 14 && uri == kTransportWideUri)
        media.transport_wide_id = id;
      else if (id <= 14 && uri == kPlayoutDelayUri)
        media.playout_delay_id = id;
    }
  }
  return offer;
}

std::vector<std::string> codecs_of(const RemoteOffer& offer) {
  std::vector<std::string> codecs;
  for (const auto& media : offer.media)
    for (const auto& format : media.formats)
      if (media.receives && !format.codec.empty() && fitness(format, {media.kind == "video", format.codec, parameter(format.fmtp, "profile-id")}) &&
          std::find(codecs.begin(), codecs.end(), format.codec) == codecs.end())
        codecs.push_back(format.codec);
  return codecs;
}

OfferPlan plan_answer(const RemoteOffer& offer, const std::vector<StreamKind>& streams) {
  OfferPlan plan;
  std::vector<const StreamPlace*> by_section(offer.media.size(), nullptr);
  plan.places.resize(streams.size());
  for (size_t i = 0; i < streams.size(); ++i) {
    int best = 0;
    for (size_t section = 0; section < offer.media.size() && !plan.places[i]; ++section) {
      const auto& media = offer.media[section];
      if (!media.receives || by_section[section] || media.kind != (streams[i].video ? "video" : "audio"))
        continue;
      std::optional<StreamPlace> place;
      for (const auto& format : media.formats)
        if (const int fit = fitness(format, streams[i]); fit > best) {
          best = fit;
          place = StreamPlace{section, format.payload_type, media.transport_wide_id, media.playout_delay_id};
        }
      plan.places[i] = place;
      if (place)
        by_section[section] = &*plan.places[i];
    }
  }
  std::optional<SectionCutter> cutter;
  size_t section = 0, candidates = 0;
  for (const auto& line : sdp_lines(offer.sdp)) {
    if (line.starts_with("m=")) {
      cutter.emplace(offer.media[section], by_section[section]);
      ++section;
    }
    // Names that only the browser's own network can resolve; its checks tell us the address.
    if (line.starts_with("a=candidate:") && (line.find(".local ") != std::string::npos || ++candidates > kCandidatesMax))
      continue;
    if (line == "a=extmap-allow-mixed")
      continue;
    const std::string shown = cutter ? cutter->cut(line) : is_direction(line) ? "" : line;
    if (!shown.empty())
      plan.sdp += shown + "\r\n";
  }
  return plan;
}

std::string edit_answer(const std::string& sdp, bool ice_lite, const std::vector<std::string>& candidates) {
  OfferEdits edits;
  edits.ice_lite = ice_lite;
  edits.candidates = candidates;
  edits.keep_candidates = !ice_lite;
  return edit_offer(sdp, edits);
}

}  // namespace vitrine
