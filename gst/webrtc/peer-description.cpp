// SPDX-License-Identifier: LGPL-2.1-or-later
// A peer's offer and answer, and whether the browser is who its answer says.
#include <gst/sdp/sdp.h>

#include <algorithm>

#include "webrtc/audio-red.h"
#include "webrtc/peer-link.h"
#include "webrtc/peer-taps.h"

namespace vitrine {

bool Peer::take_offer() {
  GstSDPMessage* message = nullptr;
  gst_sdp_message_new(&message);
  const auto size = static_cast<guint>(offer_.size());
  if (gst_sdp_message_parse_buffer(reinterpret_cast<const guint8*>(offer_.data()), size, message) != GST_SDP_OK ||
      gst_sdp_message_medias_len(message) != settings_.offer->media.size()) {
    gst_sdp_message_free(message);
    return false;
  }
  set_remote_description(GST_WEBRTC_SDP_TYPE_OFFER, message);
  return true;
}

void Peer::set_remote_description(GstWebRTCSDPType type, GstSDPMessage* message) {
  GstWebRTCSessionDescription* description = gst_webrtc_session_description_new(type, message);
  auto promise = Ref<GstPromise>::adopt(gst_promise_new_with_change_func(
      [](GstPromise* reply, gpointer data) {
        const GstStructure* structure = gst_promise_get_reply(reply);
        if (structure && gst_structure_has_field(structure, "error"))
          Link::get(data)->invoke(Link::get(data), &Peer::on_remote_description_refused);
      },
      Link::hold(link_), Link::drop));
  g_signal_emit_by_name(webrtc_, "set-remote-description", description, promise.get());
  gst_webrtc_session_description_free(description);
}

void Peer::create_description() {
  promise_ = Ref<GstPromise>::adopt(gst_promise_new_with_change_func(
      [](GstPromise*, gpointer data) { Link::get(data)->invoke(Link::get(data), &Peer::on_description_created); },
      Link::hold(link_), Link::drop));
  g_signal_emit_by_name(webrtc_, settings_.offer ? "create-answer" : "create-offer", nullptr, promise_.get());
}

void Peer::on_description_created() {
  const GstStructure* reply = gst_promise_get_reply(promise_.get());
  GstWebRTCSessionDescription* description = nullptr;
  const char* name = settings_.offer ? "answer" : "offer";
  if (reply)
    gst_structure_get(reply, name, GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &description, nullptr);
  if (!description) {
    callbacks_.failed(std::string("webrtcbin made no ") + name);
    return;
  }
  auto promise = Ref<GstPromise>::adopt(gst_promise_new_with_change_func(
      [](GstPromise*, gpointer data) { Link::get(data)->invoke(Link::get(data), &Peer::on_description_set); },
      Link::hold(link_), Link::drop));
  g_signal_emit_by_name(webrtc_, "set-local-description", description, promise.get());
  gst_webrtc_session_description_free(description);
}

void Peer::on_description_set() {
  GstWebRTCSessionDescription* local = nullptr;
  g_object_get(webrtc_, "local-description", &local, nullptr);
  if (!local) {
    callbacks_.failed("webrtcbin refused its own description");
    return;
  }
  GCharPtr text(gst_sdp_message_as_text(local->sdp));
  if (auto output = settings_.network->output()) {
    meter_pad(output.get(), hold_, &HoldMeter::left);
    rate_.watch_output(output.get(), text.get());
    settings_.network->watch_echoes(rate_.echoes());
  }
  gst_webrtc_session_description_free(local);
  mids_ = media_ids(text.get());
  const bool lite = settings_.network->lite();
  const auto candidates = lite ? settings_.candidates : std::vector<std::string>();
  if (settings_.offer) {
    callbacks_.described(edit_answer(text.get(), lite, candidates));
    return;
  }
  OfferEdits edits;
  edits.ice_lite = lite;
  edits.candidates = candidates;
  for (const auto& stream : streams_)
    if (stream.info.video) {
      edits.video_encoding = stream.info.codec;
      edits.video_parameters = video_parameters(stream.info.codec, stream.info.profile);
    }
  callbacks_.described(offer_red(edit_offer(text.get(), edits)));
}

Peer::Answer Peer::set_answer(const std::string& text, std::string& error) {
  if (answered_) {
    error = "the offer was answered before";
    return Answer::malformed;
  }
  const auto facts = read_answer(text, error);
  if (!facts)
    return Answer::malformed;
  if (facts->video_rejected) {
    error = "this browser does not play what the desktop is encoded with";
    return Answer::codec;
  }
  bool red = false;
  const std::string sdp = strip_red(text, red);
  GstSDPMessage* message = nullptr;
  gst_sdp_message_new(&message);
  if (gst_sdp_message_parse_buffer(reinterpret_cast<const guint8*>(sdp.data()), static_cast<guint>(sdp.size()),
                                   message) != GST_SDP_OK) {
    gst_sdp_message_free(message);
    error = "the SDP cannot be parsed";
    return Answer::malformed;
  }
  GstWebRTCSessionDescription* local = nullptr;
  g_object_get(webrtc_, "local-description", &local, nullptr);
  const guint offered = local ? gst_sdp_message_medias_len(local->sdp) : 0;
  if (local)
    gst_webrtc_session_description_free(local);
  // webrtcbin pairs media sections by index without a check of its own.
  if (gst_sdp_message_medias_len(message) != offered) {
    gst_sdp_message_free(message);
    error = "the answer has another number of media sections than the offer";
    return Answer::malformed;
  }
  answered_ = true;
  *red_ = red;
  fingerprints_ = facts->fingerprints;
  set_remote_description(GST_WEBRTC_SDP_TYPE_ANSWER, message);
  return Answer::taken;
}

void Peer::on_remote_description_refused() { callbacks_.failed("webrtcbin refused what the browser says"); }

bool Peer::fingerprint_fits(std::string& error) const {
  Ref<GstWebRTCRTPTransceiver> transceiver;
  g_signal_emit_by_name(webrtc_, "get-transceiver", 0, transceiver.out());
  Ref<GstWebRTCRTPSender> sender;
  if (transceiver)
    g_object_get(transceiver.get(), "sender", sender.out(), nullptr);
  Ref<GstWebRTCDTLSTransport> transport;
  if (sender)
    g_object_get(sender.get(), "transport", transport.out(), nullptr);
  char* pem = nullptr;
  if (transport)
    g_object_get(transport.get(), "remote-certificate", &pem, nullptr);
  const GCharPtr owned(pem);
  if (!pem) {
    error = "the browser showed no DTLS certificate";
    return false;
  }
  bool known = false;
  for (const auto& fingerprint : fingerprints_) {
    const std::string actual = certificate_fingerprint(pem, fingerprint.algorithm);
    if (actual.empty())
      continue;  // an algorithm that we do not know; at least one has to be known
    known = true;
    if (actual != fingerprint.value) {
      error = "the DTLS certificate is not the one that the answer named";
      return false;
    }
  }
  if (!known)
    error = "the answer has no fingerprint by SHA-256, SHA-384 or SHA-512";
  return known;
}

void Peer::add_candidate(const CandidateMessage& candidate) {
  // Without a mid it is one of the bundle's, as the first section's are.
  const auto found = std::find(mids_.begin(), mids_.end(), candidate.mid);
  const auto index = found == mids_.end() ? 0 : found - mids_.begin();
  if (!candidate.candidate.empty() && ++candidates_ <= kCandidatesMax)
    settings_.network->add_candidate(static_cast<guint>(index), candidate.candidate);
}

std::string Peer::mid_of(guint media_index) const { return media_index < mids_.size() ? mids_[media_index] : ""; }

}  // namespace vitrine
