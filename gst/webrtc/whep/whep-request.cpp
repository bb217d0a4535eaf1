// SPDX-License-Identifier: LGPL-2.1-or-later
// Text in, text out.
#include "webrtc/whep/whep-request.h"

#include <glib.h>

#include <algorithm>

#include "webrtc/sdp.h"

namespace vitrine {
namespace {

constexpr std::string_view kEndpoint = "/whep";
constexpr size_t kCandidatesMax = 100, kCandidateMax = 1024, kIceTextMax = 256, kMidMax = 32;

std::string_view trimmed(std::string_view text) {
  const size_t from = text.find_first_not_of(" \t");
  return from == std::string_view::npos ? std::string_view() : text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

/// ufrag and password: letters, digits, '+' and '/' (RFC 8839, section 5.4).
bool is_ice_text(const std::string& text) {
  return !text.empty() && text.size() <= kIceTextMax &&
         std::all_of(text.begin(), text.end(), [](char c) { return g_ascii_isalnum(c) || c == '+' || c == '/'; });
}

/// A quoted-string (RFC 9110, section 5.6.4); control characters do not go into headers.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      continue;
    if (c == '"' || c == '\\')
      out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

std::optional<WhepPath> whep_path(std::string_view path) {
  if (path == kEndpoint)
    return WhepPath{};
  if (path.size() <= kEndpoint.size() + 1 || !path.starts_with(kEndpoint) || path[kEndpoint.size()] != '/')
    return std::nullopt;
  return WhepPath{std::string(path.substr(kEndpoint.size() + 1))};
}

bool is_media_type(std::string_view content_type, std::string_view type) {
  const std::string_view essence = trimmed(content_type.substr(0, content_type.find(';')));
  return essence.size() == type.size() && g_ascii_strncasecmp(essence.data(), type.data(), type.size()) == 0;
}

TagMatch match_tag(std::string_view if_match, std::string_view tag) {
  if (trimmed(if_match).empty())
    return TagMatch::missing;
  if (trimmed(if_match) == "*")
    return TagMatch::fits;
  // Our tags hold no commas, so a list can be cut at each: what is cut wrongly was none of ours.
  while (!if_match.empty()) {
    const size_t comma = std::min(if_match.find(','), if_match.size());
    if (trimmed(if_match.substr(0, comma)) == tag)
      return TagMatch::fits;
    if_match.remove_prefix(std::min(comma + 1, if_match.size()));
  }
  return TagMatch::other;
}

std::optional<IceFragment> parse_ice_fragment(const std::string& text, std::string& error) {
  IceFragment fragment;
  const auto fail = [&error](const char* what) {
    error = what;
    return std::nullopt;
  };
  if (text.size() > kWhepBodyMax)
    return fail("the fragment is too large");
  if (!std::all_of(text.begin(), text.end(), [](unsigned char c) { return (c >= 0x20 && c < 0x7f) || c == '\r' || c == '\n' || c == '\t'; }))
    return fail("the fragment holds other characters than ASCII's");
  std::string mid;
  for (const auto& line : sdp_lines(text)) {
    // A carriage return within a line would end it for other readers.
    if (line.size() < 3 || line[1] != '=' || line.find('\r') != std::string::npos)
      return fail("a line of the fragment is no SDP");
    if (line.starts_with("m=")) {
      mid.clear();
    } else if (line.starts_with("a=mid:")) {
      mid = line.substr(6);
      if (mid.empty() || mid.size() > kMidMax)
        return fail("mid out of range");
    } else if (line.starts_with("a=ice-ufrag:") || line.starts_with("a=ice-pwd:")) {
      const bool user = line[6] == 'u';
      std::string& value = user ? fragment.ufrag : fragment.password;
      const std::string given = line.substr(user ? 12 : 10);
      if (!is_ice_text(given))
        return fail("ice-ufrag or ice-pwd is malformed");
      if (!value.empty() && value != given)
        return fail("ice-ufrag or ice-pwd of two sections differ");
      value = given;
    } else if (line.starts_with("a=candidate:")) {
      if (line.size() > kCandidateMax || fragment.candidates.size() >= kCandidatesMax)
        return fail("too many candidates, or one is too long");
      fragment.candidates.push_back({line.substr(2), mid});
    }
  }
  return fragment;
}

std::string ice_ufrag_of(const std::string& sdp) {
  for (const auto& line : sdp_lines(sdp))
    if (line.starts_with("a=ice-ufrag:"))
      return line.substr(12);
  return "";
}

std::string complete_answer(const std::string& sdp, const std::vector<std::string>& candidates) {
  OfferEdits edits;
  edits.ice_lite = sdp.find("\r\na=ice-lite\r\n") != std::string::npos;
  edits.keep_candidates = true;
  for (const auto& candidate : candidates)
    if (sdp.find("a=" + candidate + "\r\n") == std::string::npos)  // may have been there in time
      edits.candidates.push_back(candidate);
  edits.candidates.push_back("end-of-candidates");
  return edit_offer(sdp, edits);
}

std::vector<std::string> ice_server_links(const RtcConfiguration& configuration) {
  std::vector<std::string> links;
  for (const auto& server : configuration.servers)
    for (const auto& url : server.urls) {
      std::string link = "<" + to_string(url) + ">; rel=\"ice-server\"";
      if (url.turn)
        link += "; username=" + quoted(server.username) + "; credential=" + quoted(server.credential) + "; credential-type=\"password\"";
      links.push_back(std::move(link));
    }
  return links;
}

unsigned status_of_refusal(std::string_view code) {
  if (code == "protocol")
    return 400;
  if (code == "codec" || code == "transport")
    return 406;
  if (code == "rate")
    return 429;
  return 503;
}

}  // namespace vitrine
