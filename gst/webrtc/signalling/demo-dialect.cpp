// SPDX-License-Identifier: LGPL-2.1-or-later
// Translating both ways.
#include "webrtc/signalling/demo-dialect.h"

#include <json-glib/json-glib.h>

#include <algorithm>

#include "common/json-object.h"
#include "webrtc/message.h"
#include "webrtc/sdp.h"

namespace vitrine {
namespace {

// Plain players do not say what they can: they are offered what there is.
constexpr char kCodecs[] = R"(["H264","VP8","VP9","AV1"])";

MessageWriter hello() {
  MessageWriter message("hello");
  message.number("version", 1).raw("codecs", kCodecs).raw("transports", R"(["webrtc"])").text("client", "signalling");
  message.boolean("renegotiates", false);
  return message;
}

}  // namespace

std::string DemoDialect::call() {
  began_ = true;
  return hello().finish();
}

std::optional<std::string> DemoDialect::from_peer(const SignallingLine& line, std::string_view text) {
  if (std::holds_alternative<line::Session>(line)) {
    native_ = native_ || !began_;
    began_ = true;
    return native_ ? std::optional(std::string(text)) : std::nullopt;
  }
  if (native_)
    return std::nullopt;
  if (const auto* description = std::get_if<line::Description>(&line)) {
    if (!description->offer && began_ && offer_id_ > 0)
      return MessageWriter("answer").number("id", static_cast<double>(offer_id_)).text("sdp", description->sdp).finish();
    if (!description->offer || std::exchange(began_, true))
      return std::nullopt;
    return hello().text("offer", description->sdp).finish();
  }
  if (std::holds_alternative<line::OfferRequest>(line))
    return began_ ? std::nullopt : std::optional(call());
  if (const auto* candidate = std::get_if<line::Candidate>(&line); candidate && began_) {
    const auto index = static_cast<size_t>(candidate->index);
    const std::string mid = candidate->mid.empty() && index < mids_.size() ? mids_[index] : candidate->mid;
    return MessageWriter("candidate").text("candidate", candidate->candidate).text("mid", mid).finish();
  }
  return std::nullopt;
}

std::optional<std::string> DemoDialect::to_peer(std::string_view json) {
  if (native_)
    return std::string(json);
  JsonParserPtr parser;
  JsonObject* object = parse_json_object(json, parser);
  if (!object)
    return std::nullopt;
  const std::string type = json_object_get_string_member_with_default(object, "type", "");
  if (type == "offer" || type == "answer") {
    const std::string sdp = json_object_get_string_member_with_default(object, "sdp", "");
    offer_id_ = type == "offer" ? json_object_get_int_member_with_default(object, "id", 0) : 0;
    mids_ = media_ids(sdp);
    return description_line(type == "offer", sdp);
  }
  if (type == "candidate") {
    const std::string mid = json_object_get_string_member_with_default(object, "mid", "");
    const auto found = std::find(mids_.begin(), mids_.end(), mid);
    const size_t index = found == mids_.end() ? 0 : static_cast<size_t>(found - mids_.begin());
    const std::string candidate = json_object_get_string_member_with_default(object, "candidate", "");
    if (candidate.empty())
      return std::nullopt;  // "no more": not every such peer takes it for that
    return candidate_line(candidate, mid, index);
  }
  return std::nullopt;
}

}  // namespace vitrine
