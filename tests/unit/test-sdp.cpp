// SPDX-License-Identifier: LGPL-2.1-or-later
#include "webrtc/sdp.h"

#include <gtest/gtest.h>

namespace vitrine {
namespace {

constexpr char kOffer[] =
    "v=0\r\no=- 1 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE video0 application1\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\n"
    "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=candidate:9 1 UDP 1 10.0.0.1 5 typ host\r\na=mid:video0\r\n"
    "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:application1\r\n";

std::string answer(const std::string& more) {
  return "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n" + more;
}
const std::string kSection =
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:abcd\r\na=ice-pwd:pcVrxfxtYnZFJjzluMsiceow\r\na=fingerprint:SHA-256 aa:BB\r\n";

TEST(Offer, GetsLiteCandidatesAndFmtp) {
  OfferEdits edits;
  edits.candidates = {"candidate:1 1 UDP 2130706431 192.0.2.1 8080 typ host"};
  edits.h264_profile_level_id = "42e01f";
  const std::string offer = edit_offer(kOffer, edits);
  EXPECT_NE(offer.find("a=group:BUNDLE video0 application1\r\na=ice-lite\r\nm=video"), std::string::npos);
  EXPECT_NE(offer.find("a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;level-asymmetry-allowed=1;profile-level-id=42e01f\r\n"),
            std::string::npos);
  EXPECT_EQ(offer.find("a=fmtp:96 packetization-mode=1\r\n"), std::string::npos);
  EXPECT_NE(offer.find("a=fmtp:97 apt=96"), std::string::npos);
  EXPECT_EQ(offer.find("10.0.0.1"), std::string::npos);
  EXPECT_NE(offer.find("a=mid:video0\r\na=candidate:1 1 UDP 2130706431 192.0.2.1 8080 typ host\r\nm=application"), std::string::npos);
}

TEST(Offer, StaysTheSameWhenEditedTwice) {
  OfferEdits edits;
  edits.candidates = {"candidate:1 1 UDP 1 192.0.2.1 8080 typ host"};
  edits.h264_profile_level_id = "4d001f";
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

TEST(Certificate, HasTheFingerprintThatOpensslComputes) {
  EXPECT_EQ(certificate_fingerprint(kPem, "sha-256"), kFingerprint);
  EXPECT_EQ(certificate_fingerprint(kPem, "md5"), "");
  EXPECT_EQ(certificate_fingerprint("no certificate", "sha-256"), "");
  EXPECT_EQ(certificate_fingerprint("", "sha-256"), "");
}

}  // namespace
}  // namespace vitrine
