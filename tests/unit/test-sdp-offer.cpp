// SPDX-License-Identifier: LGPL-2.1-or-later
// Offers of browsers: what they take, and what webrtcbin is shown of them.
#include "webrtc/sdp-offer.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace vitrine {
namespace {

constexpr char kHead[] =
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\na=extmap-allow-mixed\r\n";
constexpr char kTransport[] =
    "c=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 AA:BB\r\na=setup:actpass\r\na=rtcp-mux\r\n";

std::string audio(const char* direction = "recvonly") {
  return std::string("m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\n") + kTransport + "a=mid:0\r\na=" + direction +
         "\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\na=rtpmap:0 PCMU/8000\r\n";
}

std::string video(const char* direction = "recvonly", const char* more = "") {
  return std::string("m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 104 106\r\n") + kTransport + "a=mid:1\r\na=" + direction +
         "\r\na=extmap:4 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
         "a=extmap:12 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\na=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
         "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 goog-remb\r\na=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
         "a=rtpmap:102 H264/90000\r\na=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\n"
         "a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\na=rtpmap:104 H264/90000\r\na=fmtp:104 packetization-mode=0;profile-level-id=42e01f\r\n"
         "a=rtpmap:106 H264/90000\r\na=fmtp:106 packetization-mode=1;profile-level-id=42e01f\r\na=ssrc:5 cname:x\r\n" + more;
}

std::string data() { return std::string("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n") + kTransport + "a=mid:2\r\na=sctp-port:5000\r\n"; }

RemoteOffer read(const std::string& sdp) {
  std::string error;
  const auto offer = read_offer(sdp, error);
  EXPECT_TRUE(offer) << error;
  return offer.value_or(RemoteOffer());
}

std::string refusal(const std::string& sdp) {
  std::string error;
  EXPECT_FALSE(read_offer(sdp, error));
  return error;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(SdpOffer, SaysWhatIsTaken) {
  const auto offer = read(kHead + audio() + video() + data());
  ASSERT_EQ(offer.media.size(), 3u);
  EXPECT_EQ(offer.media[1].transport_wide_id, 4);
  EXPECT_EQ(offer.media[1].playout_delay_id, 12);
  EXPECT_EQ(offer.media[1].mid, "1");
  const auto codecs = codecs_of(offer);
  for (const char* codec : {"OPUS", "VP8", "H264"})
    EXPECT_NE(std::find(codecs.begin(), codecs.end(), codec), codecs.end()) << codec;
  EXPECT_TRUE(codecs_of(read(kHead + video("sendonly"))).empty());
  EXPECT_FALSE(codecs_of(read(std::string(kHead) + "a=inactive\r\n" + video("recvonly"))).empty()) << "a section's own direction wins";
  EXPECT_TRUE(codecs_of(read(std::string(kHead) + "a=inactive\r\n" + video("mid:x"))).empty());
}

TEST(SdpOffer, StreamsGoWhereTheyFitBest) {
  const auto offer = read(kHead + audio() + video("sendrecv") + data());
  const auto plan = plan_answer(offer, {{true, "H264", "constrained-baseline"}, {false, "OPUS", ""}, {true, "H264", "main"}});
  ASSERT_TRUE(plan.places[0] && plan.places[1]);
  EXPECT_FALSE(plan.places[2]) << "there is one video section";
  EXPECT_EQ(plan.places[0]->section, 1u);
  EXPECT_EQ(plan.places[0]->payload_type, 106) << "not packetization-mode 0, and the same profile rather than a like one";
  EXPECT_EQ(plan.places[1]->payload_type, 111);
  EXPECT_EQ(plan_answer(offer, {{true, "H264", "high"}}).places[0]->payload_type, 102) << "any profile is better than none";
  EXPECT_FALSE(plan_answer(offer, {{true, "VP9", "0"}}).places[0]);
}

TEST(SdpOffer, WebrtcbinIsShownOnlyWhatIsUsed) {
  const std::string candidates = "a=candidate:1 1 udp 5 10.0.0.1 5 typ host\r\na=candidate:2 1 udp 5 xyz.local 5 typ host\r\n";
  const auto plan = plan_answer(read(kHead + audio("sendrecv") + video("sendrecv", candidates.c_str()) + data()), {{true, "VP8", ""}});
  EXPECT_TRUE(has(plan.sdp, "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n")) << plan.sdp;
  EXPECT_TRUE(has(plan.sdp, "a=recvonly\r\na=extmap:4 ")) << plan.sdp;
  EXPECT_TRUE(has(plan.sdp, "a=rtcp-fb:96 nack pli\r\n"));
  EXPECT_TRUE(has(plan.sdp, "10.0.0.1") && has(plan.sdp, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
  EXPECT_TRUE(has(plan.sdp, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n") && has(plan.sdp, "a=mid:0\r\na=inactive\r\n")) << "what nothing is sent for stays, closed";
  for (const char* gone : {"goog-remb", "H264", "sdes:mid", "a=ssrc", ".local", "sendrecv", "extmap-allow-mixed", "PCMU"})
    EXPECT_FALSE(has(plan.sdp, gone)) << gone;
}

TEST(SdpOffer, RefusesWhatIsNone) {
  EXPECT_EQ(refusal(""), "the SDP does not start with v=0");
  EXPECT_EQ(refusal(kHead), "no media section");
  EXPECT_EQ(refusal(std::string(kHead) + "m=video 9\r\n" + kTransport), "malformed media section");
  EXPECT_EQ(refusal(std::string(kHead) + "m=video 9 UDP/TLS/RTP/SAVPF 128\r\n" + kTransport), "payload type out of range");
  EXPECT_EQ(refusal(std::string(kHead) + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" + kTransport + "a=rtpmap:x VP8/90000\r\n"), "payload type out of range");
  EXPECT_EQ(refusal(std::string(kHead) + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" + kTransport + "a=extmap:0 urn:x\r\n"), "header extension out of range");
  EXPECT_EQ(refusal(std::string(kHead) + "m=text 9 UDP/TLS/RTP/SAVPF 96\r\n" + kTransport), "media section of an unknown kind");
}

TEST(SdpOffer, AnAnswerHasOurCandidatesOrWebrtcbins) {
  const std::string answer = std::string("v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=candidate:7 1 udp 5 10.0.0.2 5 typ host\r\n");
  EXPECT_EQ(edit_answer(answer, true, {"candidate:1"}), "v=0\r\na=ice-lite\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=candidate:1\r\n");
  EXPECT_EQ(edit_answer(answer, false, {}), answer);
}

}  // namespace
}  // namespace vitrine
