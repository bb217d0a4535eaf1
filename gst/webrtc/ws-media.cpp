// SPDX-License-Identifier: LGPL-2.1-or-later
// Frames out, acknowledgements in.
#include "webrtc/ws-media.h"

#include <gst/video/video.h>

#include <algorithm>

#include "webrtc/debug.h"
#include "webrtc/message.h"

namespace vitrine {
namespace {

constexpr guint kPingSeconds = 5;  // an idle desktop sends nothing else

/// The stream's colours as WebCodecs names them (VideoColorSpaceInit); "" if they are not known.
std::string color_json(const GstCaps* caps) {
  const char* text = caps ? gst_structure_get_string(gst_caps_get_structure(caps, 0), "colorimetry") : nullptr;
  GstVideoColorimetry color;
  if (!text || !gst_video_colorimetry_from_string(&color, text))
    return "";
  const char* matrix = color.matrix == GST_VIDEO_COLOR_MATRIX_BT709   ? "bt709"
                       : color.matrix == GST_VIDEO_COLOR_MATRIX_BT601 ? "smpte170m"
                       : color.matrix == GST_VIDEO_COLOR_MATRIX_RGB   ? "rgb"
                                                                      : nullptr;
  const char* primaries = color.primaries == GST_VIDEO_COLOR_PRIMARIES_SMPTE170M ? "smpte170m"
                          : color.primaries == GST_VIDEO_COLOR_PRIMARIES_BT470BG ? "bt470bg"
                                                                                 : "bt709";
  const char* transfer = color.transfer == GST_VIDEO_TRANSFER_SRGB    ? "iec61966-2-1"
                         : color.transfer == GST_VIDEO_TRANSFER_BT601 ? "smpte170m"
                                                                      : "bt709";
  if (!matrix)
    return "";
  const bool full = color.range == GST_VIDEO_COLOR_RANGE_0_255;
  return std::string("{\"matrix\":\"") + matrix + "\",\"primaries\":\"" + primaries + "\",\"transfer\":\"" + transfer +
         "\",\"fullRange\":" + (full ? "true" : "false") + "}";
}

int channels_of(const GstCaps* caps) {
  int channels = 2;
  if (caps)
    gst_structure_get_int(gst_caps_get_structure(caps, 0), "channels", &channels);
  return channels;
}

}  // namespace

/// What the gate holds to wake us, from any thread; it forgets us when we go.
struct WsMedia::Link {
  WsMedia* media;  // only touched on the session's thread
  Ref<GMainContext> context;
};

WsMedia::WsMedia(GMainContext* context, Ref<SoupWebsocketConnection> connection, std::shared_ptr<FrameLog> log, const RateLimits& limits,
                 WsMediaCallbacks callbacks)
    : connection_(std::move(connection)),
      log_(std::move(log)),
      callbacks_(std::move(callbacks)),
      rate_(std::make_shared<ViewerRate>(limits)),
      link_(std::make_shared<Link>(Link{this, Ref<GMainContext>::share(context)})) {
  gate_ = std::make_shared<WsGate>([link = link_] {
    g_main_context_invoke_full(
        link->context.get(), G_PRIORITY_HIGH,
        [](gpointer data) -> gboolean {
          if (WsMedia* media = (*static_cast<std::shared_ptr<Link>*>(data))->media)
            media->send_waiting();
          return G_SOURCE_REMOVE;
        },
        new std::shared_ptr<Link>(link), [](gpointer data) { delete static_cast<std::shared_ptr<Link>*>(data); });
  }, rate_);
  soup_websocket_connection_set_max_incoming_payload_size(connection_.get(), kIncomingMax);
  soup_websocket_connection_set_keepalive_interval(connection_.get(), kPingSeconds);
  message_handler_ = g_signal_connect(
      connection_.get(), "message", G_CALLBACK(+[](SoupWebsocketConnection*, gint type, GBytes* bytes, gpointer data) {
        gsize size = 0;
        const auto* start = static_cast<const uint8_t*>(g_bytes_get_data(bytes, &size));
        static_cast<WsMedia*>(data)->on_message(type == SOUP_WEBSOCKET_DATA_TEXT, {start, size});
      }),
      this);
  closed_handler_ = g_signal_connect(connection_.get(), "closed", G_CALLBACK(+[](SoupWebsocketConnection*, gpointer data) {
                                       static_cast<WsMedia*>(data)->end("the media socket is gone");
                                     }),
                                     this);
}

WsMedia::~WsMedia() {
  link_->media = nullptr;
  stop_streams();
  gate_->close();
  g_signal_handler_disconnect(connection_.get(), message_handler_);
  g_signal_handler_disconnect(connection_.get(), closed_handler_);
  if (soup_websocket_connection_get_state(connection_.get()) == SOUP_WEBSOCKET_STATE_OPEN)
    soup_websocket_connection_close(connection_.get(), SOUP_WEBSOCKET_CLOSE_GOING_AWAY, nullptr);
}

void WsMedia::stop_streams() {
  for (auto& stream : streams_) {
    stream.outlet->close();
    stream.fanout->remove(stream.outlet);
  }
  streams_.clear();
}

void WsMedia::start(const Media& media, bool visible) {
  if (ended_)
    return;
  stop_streams();
  send_waiting();  // what is left of the streams before
  MessageWriter message("streams");
  for (const auto& [fanout, info] : media) {
    const auto caps = fanout->caps();
    std::string json = "{\"codec\":" + json_string(info.codec);
    if (info.video) {
      const std::string color = color_json(caps.get());
      json += ",\"profile\":" + json_string(info.profile) + (color.empty() ? "" : ",\"color\":" + color);
    } else {
      json += ",\"channels\":" + std::to_string(channels_of(caps.get()));
    }
    message.raw(info.video ? "video" : "audio", json + "}");
    streams_.push_back({fanout, std::make_shared<WsOutlet>(gate_, info.video, log_), info});
  }
  soup_websocket_connection_send_text(connection_.get(), message.finish().c_str());
  for (const auto& stream : streams_)
    stream.fanout->add(stream.outlet);
  set_visible(visible);
}

void WsMedia::set_visible(bool visible) {
  for (const auto& stream : streams_) {
    if (stream.info.video && !visible)
      stream.outlet->close();
    else if (stream.outlet->open())
      stream.fanout->request_keyframe();
  }
}

bool WsMedia::uses(const Fanout& fanout) const {
  return std::any_of(streams_.begin(), streams_.end(), [&](const Stream& stream) { return stream.fanout.get() == &fanout; });
}

bool WsMedia::fits(const std::vector<std::shared_ptr<Fanout>>& media) const {
  return std::all_of(streams_.begin(), streams_.end(), [&](const Stream& stream) {
    const auto info = stream.fanout->info();
    return info && interchangeable(*info, stream.info) && std::find(media.begin(), media.end(), stream.fanout) != media.end();
  });
}

OutletStatistics WsMedia::video_statistics() const {
  for (const auto& stream : streams_)
    if (stream.info.video)
      return stream.outlet->statistics();
  return {};
}

void WsMedia::send_waiting() {
  for (const WsFrame& frame : gate_->take()) {
    if (ended_ || soup_websocket_connection_get_state(connection_.get()) != SOUP_WEBSOCKET_STATE_OPEN)
      return;
    const auto header = encode_frame_header(frame.header);
    const size_t size = header.size() + frame.header.size;
    auto* bytes = static_cast<uint8_t*>(g_malloc(size));
    std::copy(header.begin(), header.end(), bytes);
    gst_buffer_extract(frame.buffer.get(), 0, bytes + header.size(), frame.header.size);
    const auto message = Ref<GBytes>::adopt(g_bytes_new_take(bytes, size));
    soup_websocket_connection_send_message(connection_.get(), SOUP_WEBSOCKET_DATA_BINARY, message.get());
    if (frame.header.kind == FrameKind::video)
      log_->sent(MediaWay::websocket, frame.header.rtp_time, g_get_monotonic_time());
  }
}

void WsMedia::on_message(bool text, std::span<const uint8_t> bytes) {
  if (ended_)
    return;
  if (!messages_.take(g_get_monotonic_time())) {
    end("too many messages");
    return;
  }
  if (text) {
    std::string error;
    const auto message = parse_viewer_message({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, error);
    if (!message)
      end("malformed message");
    else if (std::holds_alternative<KeyframeMessage>(*message))
      on_keyframe_message();
    return;
  }
  if (const auto packet = decode_talk(bytes)) {
    if (callbacks_.talk)
      callbacks_.talk(*packet);
    return;
  }
  const auto acks = decode_acks(bytes);
  if (!acks)
    end("malformed acknowledgement");
  else if (!gate_->acknowledged(*acks))
    end("acknowledgement of a frame that was not sent");
}

void WsMedia::on_keyframe_message() {
  const auto video = std::find_if(streams_.begin(), streams_.end(), [](const Stream& stream) { return stream.info.video; });
  if (video != streams_.end() && callbacks_.picture_lost)
    callbacks_.picture_lost(video->fanout);
}

void WsMedia::tick(int64_t now_us) {
  rate_->tick(now_us);
  if (!ended_ && gate_->facts().age_us > kStalledUs)
    end("the viewer reads no frames");
}

void WsMedia::end(const std::string& reason) {
  if (ended_)
    return;
  ended_ = true;
  stop_streams();
  gate_->close();
  if (soup_websocket_connection_get_state(connection_.get()) == SOUP_WEBSOCKET_STATE_OPEN)
    soup_websocket_connection_close(connection_.get(), SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION, reason.c_str());
  callbacks_.ended(reason);
}

}  // namespace vitrine
