// SPDX-License-Identifier: LGPL-2.1-or-later
// SDP text.
#include "webrtc/sdp.h"

#include <glib.h>

#include <algorithm>
#include <cctype>

namespace vitrine {
namespace {

std::string map_case(std::string text, int (*convert)(int)) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [convert](unsigned char c) { return static_cast<char>(convert(c)); });
  return text;
}

/// The payload type of "a=rtpmap:96 H264/90000", or empty if the line is not one for `encoding`.
std::string payload_of(const std::string& encoding, const std::string& line) {
  if (!line.starts_with("a=rtpmap:"))
    return "";
  const size_t space = line.find(' ');
  if (space == std::string::npos || !line.substr(space + 1).starts_with(encoding + "/"))
    return "";
  return line.substr(9, space - 9);
}

}  // namespace

std::vector<std::string> sdp_lines(const std::string& sdp) {
  std::vector<std::string> lines;
  size_t start = 0;
  while (start < sdp.size()) {
    size_t end = sdp.find('\n', start);
    if (end == std::string::npos)
      end = sdp.size();
    size_t stop = end;
    while (stop > start && sdp[stop - 1] == '\r')
      --stop;
    if (stop > start)
      lines.push_back(sdp.substr(start, stop - start));
    start = end + 1;
  }
  return lines;
}

std::string edit_offer(const std::string& sdp, const OfferEdits& edits) {
  const auto lines = sdp_lines(sdp);
  const bool set_fmtp = !edits.video_parameters.empty();
  std::vector<std::string> payloads;
  for (const auto& line : lines)
    if (const auto payload = payload_of(edits.video_encoding, line); set_fmtp && !payload.empty())
      payloads.push_back(payload);

  std::string out;
  const auto put = [&out](const std::string& line) { out += line + "\r\n"; };
  bool in_media = false, candidates_done = false;
  const auto end_section = [&] {
    if (!in_media || candidates_done || edits.candidates.empty())
      return;
    for (const auto& candidate : edits.candidates)
      put("a=" + candidate);
    candidates_done = true;
  };
  for (const auto& line : lines) {
    if (line == "a=ice-lite" || (!edits.keep_candidates && (line.starts_with("a=candidate:") || line == "a=end-of-candidates")))
      continue;
    if (line.starts_with("m=")) {
      if (!in_media && edits.ice_lite)
        put("a=ice-lite");
      end_section();
      in_media = true;
    }
    const auto formats = [&line](const std::string& payload) {
      return line == "a=fmtp:" + payload || line.starts_with("a=fmtp:" + payload + " ");
    };
    if (std::any_of(payloads.begin(), payloads.end(), formats))
      continue;
    put(line);
    if (const auto payload = payload_of(edits.video_encoding, line); set_fmtp && !payload.empty())
      put("a=fmtp:" + payload + " " + edits.video_parameters);
  }
  end_section();
  return out;
}

std::vector<std::string> media_ids(const std::string& sdp) {
  std::vector<std::string> ids;
  for (const auto& line : sdp_lines(sdp)) {
    if (line.starts_with("m="))
      ids.emplace_back();
    else if (line.starts_with("a=mid:") && !ids.empty())
      ids.back() = line.substr(6);
  }
  return ids;
}

std::optional<AnswerFacts> read_answer(const std::string& sdp, std::string& error) {
  AnswerFacts facts;
  const auto fail = [&error](const char* what) {
    error = what;
    return std::nullopt;
  };
  if (std::any_of(sdp.begin(), sdp.end(),
                  [](unsigned char c) { return c < 0x20 && c != '\r' && c != '\n' && c != '\t'; }))
    return fail("control characters in the SDP");
  if (!sdp.starts_with("v=0"))
    return fail("the SDP does not start with v=0");
  bool password = false;
  for (const auto& line : sdp_lines(sdp)) {
    if (line.size() > 4096)
      return fail("an SDP line is too long");
    if (line.starts_with("m=")) {
      if (++facts.media_sections > 16)
        return fail("too many media sections");
      facts.video_rejected |= line.starts_with("m=video 0 ");
    } else if (line.starts_with("a=fingerprint:")) {
      const size_t space = line.find(' ');
      if (space == std::string::npos)
        return fail("malformed fingerprint");
      Fingerprint fingerprint{map_case(line.substr(14, space - 14), std::tolower),
                              map_case(line.substr(space + 1), std::toupper)};
      const auto same = [&](const Fingerprint& f) { return f.algorithm == fingerprint.algorithm; };
      const auto known = std::find_if(facts.fingerprints.begin(), facts.fingerprints.end(), same);
      if (known == facts.fingerprints.end())
        facts.fingerprints.push_back(fingerprint);
      else if (known->value != fingerprint.value)
        return fail("media sections with different fingerprints");
    } else if (line.starts_with("a=ice-ufrag:") && facts.ufrag.empty()) {
      facts.ufrag = line.substr(12);
    } else if (line.starts_with("a=ice-pwd:")) {
      password = true;
    }
  }
  if (facts.media_sections == 0)
    return fail("no media section");
  if (facts.fingerprints.empty())
    return fail("no DTLS fingerprint");
  if (facts.ufrag.empty() || !password)
    return fail("no ICE credentials");
  return facts;
}

std::string certificate_fingerprint(const std::string& pem, const std::string& algorithm) {
  GChecksumType type;
  if (algorithm == "sha-256")
    type = G_CHECKSUM_SHA256;
  else if (algorithm == "sha-384")
    type = G_CHECKSUM_SHA384;
  else if (algorithm == "sha-512")
    type = G_CHECKSUM_SHA512;
  else
    return "";
  static const std::string begin = "-----BEGIN CERTIFICATE-----", end = "-----END CERTIFICATE-----";
  const size_t start = pem.find(begin), stop = pem.find(end);
  if (start == std::string::npos || stop == std::string::npos || stop < start)
    return "";
  gsize length = 0;
  guchar* der = g_base64_decode(pem.substr(start + begin.size(), stop - start - begin.size()).c_str(), &length);
  char* sum = g_compute_checksum_for_data(type, der, length);
  std::string result;
  for (size_t i = 0; length > 0 && sum[i]; ++i) {
    if (i > 0 && i % 2 == 0)
      result += ':';
    result += static_cast<char>(std::toupper(static_cast<unsigned char>(sum[i])));
  }
  g_free(sum);
  g_free(der);
  return result;
}

std::string video_parameters(const std::string& codec, const std::string& profile) {
  if (codec == "VP9")
    return profile.empty() || profile == "0" ? "" : "profile-id=" + profile;
  if (codec != "H264")
    return "";
  // Browsers list no High profile for receiving, but decode it: a High stream goes out as Main.
  const bool main = profile == "main" || profile == "high" || profile == "progressive-high";
  return std::string("packetization-mode=1;level-asymmetry-allowed=1;profile-level-id=") +
         (profile == "high-4:4:4" ? "f4001f" : main ? "4d001f" : "42e01f");
}

}  // namespace vitrine
