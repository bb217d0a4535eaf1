// SPDX-License-Identifier: LGPL-2.1-or-later
#include "webrtc/sdp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace vitrine {
namespace {

constexpr char kOffer[] =
    "v=0\r\no=- 1 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE video0 application1\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\n"
    "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=candidate:9 1 UDP 1 10.0.0.1 5 typ host\r\na=mid:video0\r\n"
    "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:application1\r\n";

/// A description as webrtcbin 1.22, Chromium or Firefox ESR wrote it, with LF.
std::string recorded(const std::string& name) {
  const char* folder = std::getenv("VITRINE_SDP_DIR");
  std::ifstream file(std::string(folder ? folder : ".") + "/" + name + ".sdp");
  EXPECT_TRUE(file) << "VITRINE_SDP_DIR has no " << name;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string with_crlf(const std::string& text) {
  std::string out;
  for (const char c : text)
    out += c == '\n' ? "\r\n" : std::string(1, c);
  return out;
}

std::vector<std::string> lines(const std::string& sdp) {
  std::vector<std::string> out;
  for (size_t at = 0; at < sdp.size();) {
    const size_t end = sdp.find("\r\n", at);
    EXPECT_NE(end, std::string::npos) << "every line ends with CRLF";
    out.push_back(sdp.substr(at, end - at));
    at = end == std::string::npos ? end : end + 2;
  }
  return out;
}

std::string answer(const std::string& more) {
  return "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n" + more;
}
const std::string kSection =
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:abcd\r\na=ice-pwd:pcVrxfxtYnZFJjzluMsiceow\r\na=fingerprint:SHA-256 aa:BB\r\n";

TEST(Offer, GetsLiteCandidatesAndFmtp) {
  OfferEdits edits;
  edits.candidates = {"candidate:1 1 UDP 2130706431 192.0.2.1 8080 typ host"};
  edits.video_encoding = "H264";
  edits.video_parameters = video_parameters("H264", "constrained-baseline");
  const std::string offer = edit_offer(kOffer, edits);
  EXPECT_NE(offer.find("a=group:BUNDLE video0 application1\r\na=ice-lite\r\nm=video"), std::string::npos);
  EXPECT_NE(offer.find("a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;level-asymmetry-allowed=1;profile-level-id=42e01f\r\n"),
            std::string::npos);
  EXPECT_EQ(offer.find("a=fmtp:96 packetization-mode=1\r\n"), std::string::npos);
  EXPECT_NE(offer.find("a=fmtp:97 apt=96"), std::string::npos);
  EXPECT_EQ(offer.find("10.0.0.1"), std::string::npos);
  EXPECT_NE(offer.find("a=mid:video0\r\na=candidate:1 1 UDP 2130706431 192.0.2.1 8080 typ host\r\nm=application"), std::string::npos);
}

TEST(Offer, OfWebrtcbinKeepsEveryOtherLine) {
  OfferEdits edits;
  edits.candidates = {"candidate:1 1 UDP 2130706431 192.0.2.1 8080 typ host",
                      "candidate:2 1 TCP 1526726655 192.0.2.1 8080 typ host tcptype passive"};
  edits.video_encoding = "H264";
  edits.video_parameters = video_parameters("H264", "constrained-baseline");
  const std::string before = recorded("offer-webrtcbin");
  const std::string after = edit_offer(before, edits);
  EXPECT_EQ(edit_offer(with_crlf(before), edits), after);
  std::vector<std::string> expected;
  std::istringstream text(before);
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("m=video"))
      expected.push_back("a=ice-lite");
    if (line.starts_with("m=audio"))  // the end of the first section
      for (const auto& candidate : edits.candidates)
        expected.push_back("a=" + candidate);
    if (line.starts_with("a=fmtp:96 "))
      continue;
    expected.push_back(line);
    if (line == "a=rtpmap:96 H264/90000")
      expected.push_back("a=fmtp:96 packetization-mode=1;level-asymmetry-allowed=1;profile-level-id=42e01f");
  }
  EXPECT_EQ(lines(after), expected);
}

TEST(Offer, WithNothingToEditOnlyLosesCandidates) {
  const std::string before = with_crlf(recorded("offer-webrtcbin"));
  EXPECT_EQ(edit_offer(before, {false, {}, "", ""}), before);
  EXPECT_EQ(edit_offer(before + "a=candidate:1 1 UDP 1 10.0.0.1 5 typ host\r\na=end-of-candidates\r\n", {false, {}, "", ""}), before);
  EXPECT_EQ(edit_offer("", {true, {"candidate:1"}, "H264", "profile-level-id=42e01f"}), "");
}

TEST(Offer, FormatsEveryH264SectionAndNoOther) {
  const std::string section = "m=video 9 UDP/TLS/RTP/SAVPF ";
  const std::string offer = edit_offer(
      "v=0\n" + section + "96\na=fmtp:96 x=1\na=rtpmap:96 H264/90000\n" + section + "98\na=rtpmap:98 H264/90000\na=fmtp:98 x=1\n" +
          section + "9\na=rtpmap:9 VP8/90000\na=fmtp:9 max-fs=1\na=fmtp:960 x=1\n",
      {false, {}, "H264", video_parameters("H264", "main")});
  const std::string format = " packetization-mode=1;level-asymmetry-allowed=1;profile-level-id=4d001f";
  EXPECT_EQ(lines(offer), (std::vector<std::string>{"v=0", section + "96", "a=rtpmap:96 H264/90000", "a=fmtp:96" + format, section + "98",
                                                    "a=rtpmap:98 H264/90000", "a=fmtp:98" + format, section + "9", "a=rtpmap:9 VP8/90000",
                                                    "a=fmtp:9 max-fs=1", "a=fmtp:960 x=1"}));
}

TEST(Offer, CandidatesGoToTheFirstSectionOnly) {
  const std::string offer = edit_offer(recorded("offer-webrtcbin"), {true, {"candidate:1 1 UDP 1 192.0.2.1 1 typ host"}, "", ""});
  const auto all = lines(offer);
  EXPECT_EQ(std::count(all.begin(), all.end(), "a=candidate:1 1 UDP 1 192.0.2.1 1 typ host"), 1);
  EXPECT_EQ(std::count(all.begin(), all.end(), "a=ice-lite"), 1);
  EXPECT_NE(offer.find("sprop-parameter-sets"), std::string::npos) << "fmtp stays when there is nothing to say";
  const auto alone = lines(edit_offer("v=0\nm=video 9 X 96\na=mid:0\n", {true, {"candidate:1"}, "", ""}));
  EXPECT_EQ(alone, (std::vector<std::string>{"v=0", "a=ice-lite", "m=video 9 X 96", "a=mid:0", "a=candidate:1"}));
}

TEST(Offer, StaysTheSameWhenEditedTwice) {
  OfferEdits edits;
  edits.candidates = {"candidate:1 1 UDP 1 192.0.2.1 8080 typ host"};
  edits.video_encoding = "H264";
  edits.video_parameters = video_parameters("H264", "main");
  const std::string once = edit_offer(kOffer, edits);
  EXPECT_EQ(edit_offer(once, edits), once);
}

TEST(Answer, IsRead) {
  std::string error;
  const auto facts = read_answer(answer(kSection + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=fingerprint:sha-256 AA:bb\r\n"), error);
  ASSERT_TRUE(facts) << error;
  EXPECT_EQ(facts->media_sections, 2u);
  EXPECT_EQ(facts->ufrag, "abcd");
  ASSERT_EQ(facts->fingerprints.size(), 1u);
  EXPECT_EQ(facts->fingerprints[0].algorithm, "sha-256");
  EXPECT_EQ(facts->fingerprints[0].value, "AA:BB");
  EXPECT_FALSE(facts->video_rejected);
}

TEST(Answer, OfRealBrowsersIsRead) {
  const std::tuple<const char*, const char*, const char*> browsers[] = {
      {"answer-chromium", "LLk6",
       "0C:A1:C1:ED:23:48:19:0F:97:3A:92:F3:52:53:96:0D:CB:AC:20:21:9E:E4:5C:78:61:E9:5A:46:69:2C:A3:8C"},
      // Firefox names the fingerprint before the first section.
      {"answer-firefox", "7dfdc8d0",
       "E9:DE:CB:FA:EE:5A:BD:95:FA:FC:66:E4:E0:17:C3:8A:46:59:F3:04:89:94:C5:D8:39:2B:3F:D4:77:FB:95:76"},
  };
  for (const auto& [name, ufrag, fingerprint] : browsers) {
    for (const auto& text : {recorded(name), with_crlf(recorded(name))}) {
      std::string error;
      const auto facts = read_answer(text, error);
      ASSERT_TRUE(facts) << name << ": " << error;
      EXPECT_EQ(facts->media_sections, 3u);
      EXPECT_EQ(facts->ufrag, ufrag);
      ASSERT_EQ(facts->fingerprints.size(), 1u);
      EXPECT_EQ(facts->fingerprints[0].algorithm, "sha-256");
      EXPECT_EQ(facts->fingerprints[0].value, fingerprint);
      EXPECT_FALSE(facts->video_rejected);
    }
  }
}

TEST(Answer, MayNameFingerprintsByTwoAlgorithms) {
  std::string error;
  const auto facts = read_answer(answer(kSection + "a=fingerprint:sha-512 11:22\r\na=fingerprint:sha-256 AA:BB\r\n"), error);
  ASSERT_TRUE(facts) << error;
  ASSERT_EQ(facts->fingerprints.size(), 2u);
  EXPECT_EQ(facts->fingerprints[1].algorithm, "sha-512");
}

TEST(Answer, ARejectedSoundIsNoRejectedPicture) {
  std::string error;
  const auto facts = read_answer(answer(kSection + "m=audio 0 UDP/TLS/RTP/SAVPF 111\r\nm=application 0 UDP/DTLS/SCTP x\r\n"), error);
  ASSERT_TRUE(facts) << error;
  EXPECT_FALSE(facts->video_rejected);
}

TEST(Answer, TellsThatTheCodecIsNotPlayed) {
  std::string error;
  const auto facts = read_answer(answer("m=video 0 UDP/TLS/RTP/SAVPF 120\r\n" + kSection), error);
  ASSERT_TRUE(facts) << error;
  EXPECT_TRUE(facts->video_rejected);
}

TEST(Answer, IsRefusedWithAReason) {
  const std::pair<std::string, const char*> bad[] = {
      {"", "v=0"},
      {"hello", "v=0"},
      {answer(""), "no media section"},
      {answer("m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"), "fingerprint"},
      {answer("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=fingerprint:sha-256 AA\r\n"), "ICE credentials"},
      {answer(kSection + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=fingerprint:sha-256 CC:DD\r\n"), "different fingerprints"},
      {answer(kSection + "a=x:\x01\r\n"), "control characters"},
      {answer(kSection + std::string("a=x:\0", 5) + "\r\n"), "control characters"},
      {answer(kSection + "a=fingerprint:sha-256AA\r\n"), "malformed fingerprint"},
      {" v=0\r\n" + kSection, "v=0"},
      {answer("m=video 9 X 96\r\na=ice-ufrag:\r\na=ice-pwd:x\r\na=fingerprint:sha-256 AA\r\n"), "ICE credentials"},
      {answer(kSection + "a=" + std::string(5000, 'x') + "\r\n"), "too long"},
      {answer(kSection + [] { std::string many; for (int i = 0; i < 20; ++i) many += "m=audio 9 X 1\r\n"; return many; }()), "too many"},
  };
  for (const auto& [sdp, reason] : bad) {
    std::string error;
    EXPECT_FALSE(read_answer(sdp, error)) << reason;
    EXPECT_NE(error.find(reason), std::string::npos) << error;
  }
}

// A self-signed certificate and what `openssl x509 -fingerprint -sha256` says of it.
constexpr char kPem[] = R"(-----BEGIN CERTIFICATE-----
MIIBdTCCARugAwIBAgIUB/ab40UZ4tFg+NAKh6HxdhheF04wCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjEwMDM2NDBaGA8yMTA5MDExMDAwMzY0
MFowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPjW
f0OijfiWACVzWXkUMgpHHIiiTw8wVU1jwvRgdZsfwcTvPp/DNa+IFFwU2GJsUySb
kyiMMTgbVq9LMrqlTgyjUzBRMB0GA1UdDgQWBBRe48aLUBaLbfY7IsdsMwefuvtA
1DAfBgNVHSMEGDAWgBRe48aLUBaLbfY7IsdsMwefuvtA1DAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0gAMEUCICGP3JGIFVbfPadEbiu+QcfMPD5Zp6qTuWsy
sU9UA3ibAiEAk5Rok0fLsVQWfrXycD/Ztm26CibEwX5dzIlldQD+tiI=
-----END CERTIFICATE-----)";
constexpr char kFingerprint[] = "39:59:61:91:3F:E7:F8:70:5A:A8:01:F1:47:9D:E8:38:46:8F:6B:0F:36:1E:EF:75:36:ED:12:E2:DF:61:E1:0F";

constexpr char kFingerprint384[] =
    "86:DD:25:9D:B9:99:6D:70:98:FF:AA:22:EA:4B:99:0A:99:FF:F9:66:6E:D0:48:94:"
    "E5:A1:4A:F0:DB:05:55:05:72:F5:B3:F3:D4:86:C3:0C:2B:A0:77:E5:E1:8E:F7:02";

TEST(Certificate, HasTheFingerprintThatOpensslComputes) {
  EXPECT_EQ(certificate_fingerprint(kPem, "sha-256"), kFingerprint);
  std::string crlf = with_crlf(kPem);
  EXPECT_EQ(certificate_fingerprint("some words\r\n" + crlf + "\r\n" + crlf, "sha-256"), kFingerprint) << "the first one counts";
  EXPECT_EQ(certificate_fingerprint(kPem, "sha-384"), kFingerprint384);
  EXPECT_EQ(certificate_fingerprint(kPem, "sha-512").size(), 3u * 64 - 1);
  EXPECT_EQ(certificate_fingerprint(kPem, "SHA-256"), "");
  EXPECT_EQ(certificate_fingerprint("-----END CERTIFICATE----------BEGIN CERTIFICATE-----", "sha-256"), "");
  EXPECT_EQ(certificate_fingerprint("-----BEGIN CERTIFICATE----------END CERTIFICATE-----", "sha-256"), "");
  EXPECT_EQ(certificate_fingerprint(kPem, "md5"), "");
  EXPECT_EQ(certificate_fingerprint("no certificate", "sha-256"), "");
  EXPECT_EQ(certificate_fingerprint("", "sha-256"), "");
}

TEST(VideoParameters, AreWhatBrowsersNegotiate) {
  const std::string h264 = "packetization-mode=1;level-asymmetry-allowed=1;profile-level-id=";
  EXPECT_EQ(video_parameters("H264", "constrained-baseline"), h264 + "42e01f");
  EXPECT_EQ(video_parameters("H264", "main"), h264 + "4d001f");
  EXPECT_EQ(video_parameters("H264", "high"), h264 + "4d001f");
  EXPECT_EQ(video_parameters("H264", "high-4:4:4"), h264 + "f4001f");
  EXPECT_EQ(video_parameters("H264", ""), h264 + "42e01f");
  EXPECT_EQ(video_parameters("VP9", "1"), "profile-id=1");
  EXPECT_EQ(video_parameters("VP9", "0"), "") << "the default, which some browsers do not list";
  EXPECT_EQ(video_parameters("VP8", ""), "");
}

TEST(Offer, NamesTheProfileOfVp9) {
  const std::string before = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 97 98\r\na=rtpmap:97 VP9/90000\r\na=rtpmap:98 rtx/90000\r\na=fmtp:98 apt=97\r\n";
  const std::string after = edit_offer(before, {false, {}, "VP9", video_parameters("VP9", "1")});
  EXPECT_NE(after.find("a=rtpmap:97 VP9/90000\r\na=fmtp:97 profile-id=1\r\n"), std::string::npos) << after;
  EXPECT_NE(after.find("a=fmtp:98 apt=97\r\n"), std::string::npos) << after;
}

}  // namespace
}  // namespace vitrine
