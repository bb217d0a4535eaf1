// SPDX-License-Identifier: LGPL-2.1-or-later
// Congestion control as an element: feedback in, `estimated-bitrate` out, padding for probes.

/**
 * SECTION:element-rtpdesktopcc
 * @title: rtpdesktopcc
 *
 * Estimates what a WebRTC peer's path carries, for desktop traffic: short, large changes between long stillness. Return it from webrtcbin's
 * `request-aux-sender`, add the transport-wide header extension (`rtphdrexttwcc`) to the payloader, and set the encoder's bitrate when
 * #GstRtpDesktopCc:estimated-bitrate changes. A desktop that sends little neither lowers nor raises the estimate.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=60 ! x264enc ! rtph264pay ! rtpdesktopcc max-bitrate=8000000 ! fakesink
 * ]| Passes packets on; without feedback the estimate stays where it starts.
 *
 * Since: 0.1
 */

#include "webrtc/gstrtpdesktopcc.h"

#include <gst/rtp/rtp.h>

#include <atomic>
#include <deque>
#include <string_view>
#include <utility>
#include <vector>

#include "common/mutex.h"
#include "common/ref.h"
#include "webrtc/rate/viewer-rate.h"

using namespace vitrine;

GST_DEBUG_CATEGORY_STATIC(gst_rtp_desktop_cc_debug);
#define GST_CAT_DEFAULT gst_rtp_desktop_cc_debug

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-rtp"));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-rtp"));

enum Property { PROP_0, PROP_MIN_BITRATE, PROP_MAX_BITRATE, PROP_START_BITRATE, PROP_ESTIMATED_BITRATE, PROP_STATS, N_PROPERTIES };
static constexpr guint kMinBitrate = 300'000, kMaxBitrate = 50'000'000, kStartBitrate = 4'000'000;
static GParamSpec* properties[N_PROPERTIES];

namespace {

constexpr size_t kHistory = 48;  // packets that padding is made of
constexpr int64_t kTickUs = 50'000;
constexpr guint8 kHasExtension = 0x10;  // in the first byte of an RTP header

class CongestionControl {
 public:
  explicit CongestionControl(GstElement* element) : element_(element) {}

  void share(std::shared_ptr<ViewerRate> rate) {
    MutexLock lock(mutex_);
    rate_ = std::move(rate);
    own_ = false;
  }
  std::shared_ptr<ViewerRate> rate() {
    MutexLock lock(mutex_);
    return rate_;
  }
  void set_limits() {
    GST_OBJECT_LOCK(element_);
    const RateLimits limits{static_cast<double>(min_bps), static_cast<double>(start_bps), static_cast<double>(max_bps)};
    GST_OBJECT_UNLOCK(element_);
    MutexLock lock(mutex_);
    if (own_ && !begun_)
      rate_ = std::make_shared<ViewerRate>(limits);
    else
      rate_->set_limits(limits);
  }
  /// Tells listeners when the estimate has changed by more than a hundredth.
  void notify() {
    const auto now = static_cast<guint>(rate()->target_bps());
    const guint before = told_bps_;
    if (before == now || (before > now ? before - now : now - before) < before / 100)
      return;
    told_bps_ = now;
    g_object_notify_by_pspec(G_OBJECT(element_), properties[PROP_ESTIMATED_BITRATE]);
  }

  /// rtpsession's own account of transport-wide feedback.
  void on_feedback(const GstStructure* structure) {
    std::shared_ptr<ViewerRate> own;
    const GValue* value = gst_structure_get_value(structure, "packets");
    // By name: the macro for this type is deprecated, the type itself what rtpsession uses.
    if (!value || std::string_view(G_VALUE_TYPE_NAME(value)) != "GValueArray")
      return;
    {
      MutexLock lock(mutex_);
      if (!own_)
        return;
      begun_ = true;
      own = rate_;
    }
    const auto* array = static_cast<const GValueArray*>(g_value_get_boxed(value));
    std::vector<Delivery> deliveries;
    for (guint i = 0; array && i < array->n_values; ++i) {
      const GstStructure* packet = gst_value_get_structure(&array->values[i]);
      guint64 local = 0, remote = 0;
      guint size = 0;
      gboolean lost = FALSE;
      gst_structure_get(packet, "local-ts", G_TYPE_UINT64, &local, "size", G_TYPE_UINT, &size, "lost", G_TYPE_BOOLEAN, &lost, nullptr);
      gst_structure_get_uint64(packet, "remote-ts", &remote);
      const auto sent_us = static_cast<int64_t>(local / 1000);
      // All packets of one frame are stamped together.
      if (sent_us - last_sent_us_ > 1000 || frame_ == 0)
        ++frame_;
      last_sent_us_ = sent_us;
      deliveries.push_back({frame_, size, sent_us, lost || remote == GST_CLOCK_TIME_NONE ? Delivery::kLost : static_cast<int64_t>(remote / 1000)});
    }
    own->reported(deliveries, g_get_monotonic_time());
    notify();
  }
  /// A packet goes on, and nobody else tells of it. Once there was feedback its silence tells something too.
  void left(GstBuffer* buffer) {
    std::shared_ptr<ViewerRate> own;
    {
      MutexLock lock(mutex_);
      if (!own_ || !begun_)
        return;
      own = rate_;
    }
    guint8 first = 0;
    gst_buffer_extract(buffer, 0, &first, 1);
    if (!(first & kHasExtension))
      return;  // without a transport-wide number there is no feedback on it
    const int64_t now_us = g_get_monotonic_time();
    own->left(static_cast<uint32_t>(gst_buffer_get_size(buffer)), now_us);
    if (now_us - ticked_us_ < kTickUs)
      return;
    ticked_us_ = now_us;
    own->tick(now_us);
    notify();
  }

  void set_rtx(const RtxStream& stream) {
    MutexLock lock(mutex_);
    stream_ = stream;
  }
  void ask_probe(guint bytes) { probe_bytes_ = bytes; }

  /// Looks at a packet before it goes on: renumbers retransmissions, remembers media. True if padding is to follow it.
  bool take(Ref<GstBuffer>& buffer) {
    RtxStream stream;
    {
      MutexLock lock(mutex_);
      stream = stream_;
    }
    GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
    if (stream.rtx_ssrc == 0 || !gst_rtp_buffer_map(buffer.get(), GST_MAP_READ, &rtp))
      return false;
    const guint32 ssrc = gst_rtp_buffer_get_ssrc(&rtp);
    const guint16 sequence = gst_rtp_buffer_get_seq(&rtp);
    const bool marker = gst_rtp_buffer_get_marker(&rtp);
    gst_rtp_buffer_unmap(&rtp);
    if (ssrc == stream.rtx_ssrc) {
      if (!rtx_seen_ && padded_)
        rtx_offset_ = static_cast<guint16>(rtx_sequence_ + 1 - sequence);
      rtx_seen_ = true;
      rtx_sequence_ = static_cast<guint16>(sequence + rtx_offset_);
      if (rtx_offset_ == 0)
        return false;
      buffer = Ref<GstBuffer>::adopt(gst_buffer_make_writable(buffer.release()));
      if (gst_rtp_buffer_map(buffer.get(), GST_MAP_WRITE, &rtp)) {
        gst_rtp_buffer_set_seq(&rtp, rtx_sequence_);
        gst_rtp_buffer_unmap(&rtp);
      }
      return false;
    }
    if (ssrc != stream.ssrc)
      return false;
    history_.push_back(buffer.copy());
    if (history_.size() > kHistory)
      history_.pop_front();
    return marker && probe_bytes_ > 0;
  }

  /// What goes with a packet that take() has looked at, a retransmission: itself again (RFC 4588: of one packet there may be several).
  std::vector<Ref<GstBuffer>> repeats(GstBuffer* packet) {
    const auto [stream, rate] = attached();
    std::vector<Ref<GstBuffer>> made;
    guint8 head[12] = {};
    if (stream.rtx_ssrc == 0 || gst_buffer_extract(packet, 0, head, sizeof head) != sizeof head || GST_READ_UINT32_BE(head + 8) != stream.rtx_ssrc)
      return made;
    for (size_t copies = rate->repair_copies(g_get_monotonic_time()); copies > 0; --copies) {
      auto again = Ref<GstBuffer>::adopt(gst_buffer_copy_deep(packet));
      ++rtx_offset_;
      ++rtx_sequence_;
      GST_WRITE_UINT16_BE(head, rtx_sequence_);
      gst_buffer_fill(again.get(), 2, head, 2);
      made.push_back(std::move(again));
    }
    return made;
  }

  /// Packets that the viewer has already, as retransmissions (RFC 4588), which it recognizes and drops.
  std::vector<Ref<GstBuffer>> padding() {
    const auto [stream, rate] = attached();
    std::vector<Ref<GstBuffer>> made;
    const auto first = static_cast<uint16_t>(rtx_sequence_ + 1);
    int64_t left = probe_bytes_.exchange(0);
    while (left > 0 && !history_.empty() && made.size() < 2 * kHistory) {
      auto again = retransmission(history_[history_.size() - 1 - made.size() % history_.size()].get(), stream);
      if (!again)
        break;
      left -= static_cast<int64_t>(gst_buffer_get_size(again.get()));
      made.push_back(std::move(again));
    }
    if (!made.empty())
      rate->padding_leaves(stream.rtx_ssrc, first, static_cast<uint32_t>(made.size()));
    return made;
  }

  // Under the element's object lock:
  guint min_bps = kMinBitrate, max_bps = kMaxBitrate, start_bps = kStartBitrate;

 private:
  std::pair<RtxStream, std::shared_ptr<ViewerRate>> attached() {
    MutexLock lock(mutex_);
    return {stream_, rate_};
  }

  Ref<GstBuffer> retransmission(GstBuffer* original, const RtxStream& stream) {
    GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
    if (!gst_rtp_buffer_map(original, GST_MAP_READ, &rtp))
      return {};
    const guint header = gst_rtp_buffer_get_header_len(&rtp), payload = gst_rtp_buffer_get_payload_len(&rtp);
    const guint16 sequence = gst_rtp_buffer_get_seq(&rtp);
    gst_rtp_buffer_unmap(&rtp);
    auto made = Ref<GstBuffer>::adopt(gst_buffer_new_allocate(nullptr, header + 2 + payload, nullptr));
    GstMapInfo map;
    if (!gst_buffer_map(made.get(), &map, GST_MAP_WRITE))
      return {};
    gst_buffer_extract(original, 0, map.data, header);
    map.data[header] = static_cast<guint8>(sequence >> 8);
    map.data[header + 1] = static_cast<guint8>(sequence);
    gst_buffer_extract(original, header, map.data + header + 2, payload);
    map.data[0] &= 0xdf;  // no padding
    map.data[1] = static_cast<guint8>((map.data[1] & 0x80) | stream.rtx_payload_type);
    padded_ = true;
    ++rtx_offset_;
    ++rtx_sequence_;
    GST_WRITE_UINT16_BE(map.data + 2, rtx_sequence_);
    GST_WRITE_UINT32_BE(map.data + 8, stream.rtx_ssrc);
    gst_buffer_unmap(made.get(), &map);
    gst_buffer_copy_into(made.get(), original, GST_BUFFER_COPY_TIMESTAMPS, 0, G_MAXSIZE);
    return made;
  }

  GstElement* const element_;
  std::atomic<guint> told_bps_{kStartBitrate}, probe_bytes_{0};
  Mutex mutex_;
  std::shared_ptr<ViewerRate> rate_ GUARDED_BY(mutex_) = std::make_shared<ViewerRate>(RateLimits{kMinBitrate, kStartBitrate, kMaxBitrate});
  bool own_ GUARDED_BY(mutex_) = true, begun_ GUARDED_BY(mutex_) = false;
  RtxStream stream_ GUARDED_BY(mutex_);
  // Of the streaming thread:
  std::deque<Ref<GstBuffer>> history_;
  guint16 rtx_sequence_ = 0, rtx_offset_ = 0;
  bool rtx_seen_ = false, padded_ = false;
  int64_t ticked_us_ = 0;
  // Of the thread that feedback comes on:
  uint64_t frame_ = 0;
  int64_t last_sent_us_ = 0;
};

}  // namespace

struct _GstRtpDesktopCc {
  GstElement parent;
  GstPad *sink, *src;
  CongestionControl* body;
};

G_DEFINE_TYPE(GstRtpDesktopCc, gst_rtp_desktop_cc, GST_TYPE_ELEMENT)

static GstFlowReturn gst_rtp_desktop_cc_push(GstRtpDesktopCc* self, Ref<GstBuffer> buffer) {
  const bool pad = self->body->take(buffer);
  self->body->left(buffer.get());
  auto repeats = self->body->repeats(buffer.get());
  GstFlowReturn flow = gst_pad_push(self->src, buffer.release());
  for (auto& packet : repeats)
    if (flow == GST_FLOW_OK)
      flow = gst_pad_push(self->src, packet.release());
  if (pad)
    for (auto& packet : self->body->padding())
      if (flow == GST_FLOW_OK)
        flow = gst_pad_push(self->src, packet.release());
  return flow;
}

static GstFlowReturn gst_rtp_desktop_cc_chain(GstPad*, GstObject* parent, GstBuffer* buffer) {
  return gst_rtp_desktop_cc_push(GST_RTP_DESKTOP_CC(parent), Ref<GstBuffer>::adopt(buffer));
}

static GstFlowReturn gst_rtp_desktop_cc_chain_list(GstPad*, GstObject* parent, GstBufferList* list) {
  auto* self = GST_RTP_DESKTOP_CC(parent);
  GstFlowReturn flow = GST_FLOW_OK;
  const guint length = gst_buffer_list_length(list);
  for (guint i = 0; i < length && flow == GST_FLOW_OK; ++i)
    flow = gst_rtp_desktop_cc_push(self, Ref<GstBuffer>::share(gst_buffer_list_get(list, i)));
  gst_buffer_list_unref(list);
  return flow;
}

static gboolean gst_rtp_desktop_cc_src_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_UPSTREAM && gst_event_has_name(event, "RTPTWCCPackets"))
    GST_RTP_DESKTOP_CC(parent)->body->on_feedback(gst_event_get_structure(event));
  return gst_pad_event_default(pad, parent, event);
}

static void gst_rtp_desktop_cc_set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
  CongestionControl& body = *GST_RTP_DESKTOP_CC(object)->body;
  GST_OBJECT_LOCK(object);
  switch (id) {
    case PROP_MIN_BITRATE:
      body.min_bps = g_value_get_uint(value);
      break;
    case PROP_MAX_BITRATE:
      body.max_bps = g_value_get_uint(value);
      break;
    case PROP_START_BITRATE:
      body.start_bps = g_value_get_uint(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  }
  GST_OBJECT_UNLOCK(object);
  body.set_limits();
}

static GstStructure* gst_rtp_desktop_cc_stats(ViewerRate& rate) {
  const RateFacts facts = rate.facts();
  const FeedbackStatistics feedback = rate.feedback();
  return gst_structure_new("application/x-rtp-desktop-cc-stats", "state", G_TYPE_STRING, to_string(facts.state), "target-bitrate", G_TYPE_UINT,
                           static_cast<guint>(facts.target_bps), "received-bitrate", G_TYPE_UINT, static_cast<guint>(facts.delivered_bps),
                           "capacity", G_TYPE_UINT, static_cast<guint>(facts.capacity_bps), "queue", G_TYPE_UINT64,
                           static_cast<guint64>(facts.queue_us) * 1000, "rtt", G_TYPE_UINT64, static_cast<guint64>(facts.rtt_us) * 1000,
                           "loss", G_TYPE_DOUBLE, facts.loss, "clock-steps", G_TYPE_UINT64, facts.clock_steps, "feedback-taken",
                           G_TYPE_UINT64, feedback.taken, "feedback-refused", G_TYPE_UINT64,
                           feedback.malformed + feedback.unknown + feedback.replayed + feedback.absurd, nullptr);
}

static void gst_rtp_desktop_cc_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  CongestionControl& body = *GST_RTP_DESKTOP_CC(object)->body;
  if (id == PROP_STATS) {
    g_value_take_boxed(value, gst_rtp_desktop_cc_stats(*body.rate()));
    return;
  }
  if (id == PROP_ESTIMATED_BITRATE) {
    g_value_set_uint(value, static_cast<guint>(body.rate()->target_bps()));
    return;
  }
  GST_OBJECT_LOCK(object);
  switch (id) {
    case PROP_MIN_BITRATE:
      g_value_set_uint(value, body.min_bps);
      break;
    case PROP_MAX_BITRATE:
      g_value_set_uint(value, body.max_bps);
      break;
    case PROP_START_BITRATE:
      g_value_set_uint(value, body.start_bps);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  }
  GST_OBJECT_UNLOCK(object);
}

static void gst_rtp_desktop_cc_finalize(GObject* object) {
  delete GST_RTP_DESKTOP_CC(object)->body;
  G_OBJECT_CLASS(gst_rtp_desktop_cc_parent_class)->finalize(object);
}

static void gst_rtp_desktop_cc_class_init(GstRtpDesktopCcClass* klass) {
  GST_DEBUG_CATEGORY_INIT(gst_rtp_desktop_cc_debug, "rtpdesktopcc", 0, "rtpdesktopcc element");
  auto* object_class = G_OBJECT_CLASS(klass);
  auto* element_class = GST_ELEMENT_CLASS(klass);
  object_class->set_property = gst_rtp_desktop_cc_set_property;
  object_class->get_property = gst_rtp_desktop_cc_get_property;
  object_class->finalize = gst_rtp_desktop_cc_finalize;
  const auto writable = GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
  const auto readable = GParamFlags(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  properties[PROP_MIN_BITRATE] = g_param_spec_uint("min-bitrate", "Minimum bitrate", "The estimate is never below this, bit/s", 100'000,
                                                   G_MAXUINT, kMinBitrate, writable);
  properties[PROP_MAX_BITRATE] =
      g_param_spec_uint("max-bitrate", "Maximum bitrate", "The estimate is never above this, bit/s", 100'000, G_MAXUINT, kMaxBitrate, writable);
  properties[PROP_START_BITRATE] = g_param_spec_uint("start-bitrate", "Start bitrate", "The estimate before the first feedback, bit/s", 100'000,
                                                     G_MAXUINT, kStartBitrate, writable);
  properties[PROP_ESTIMATED_BITRATE] = g_param_spec_uint(
      "estimated-bitrate", "Estimated bitrate", "What the path carries, bit/s, all that is sent included; notified on changes of a hundredth", 0,
      G_MAXUINT, kStartBitrate, readable);
  properties[PROP_STATS] = g_param_spec_boxed(
      "stats", "Statistics",
      "state (string); target-bitrate, received-bitrate, capacity (uint, bit/s); queue, rtt (uint64, ns); loss (double, 0 to 1); clock-steps, "
      "feedback-taken, feedback-refused (uint64)",
      GST_TYPE_STRUCTURE, readable);
  g_object_class_install_properties(object_class, N_PROPERTIES, properties);
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(element_class, "Desktop congestion control", "Network/WebRTC/RTP/Filter",
                                        "Estimates what the path of desktop traffic carries, from transport-wide feedback",
                                        "The Vitrine developers");
}

static void gst_rtp_desktop_cc_init(GstRtpDesktopCc* self) {
  self->sink = gst_pad_new_from_static_template(&sink_template, "sink");
  gst_pad_set_chain_function(self->sink, gst_rtp_desktop_cc_chain);
  gst_pad_set_chain_list_function(self->sink, gst_rtp_desktop_cc_chain_list);
  self->src = gst_pad_new_from_static_template(&src_template, "src");
  gst_pad_set_event_function(self->src, gst_rtp_desktop_cc_src_event);
  for (GstPad* pad : {self->sink, self->src}) {
    GST_PAD_SET_PROXY_CAPS(pad);
    GST_PAD_SET_PROXY_ALLOCATION(pad);
    GST_PAD_SET_PROXY_SCHEDULING(pad);
    gst_element_add_pad(GST_ELEMENT(self), pad);
  }
  self->body = new CongestionControl(GST_ELEMENT(self));
}

namespace vitrine {

GstElement* new_rtp_desktop_cc(std::shared_ptr<ViewerRate> rate) {
  auto* element = GST_RTP_DESKTOP_CC(g_object_new(GST_TYPE_RTP_DESKTOP_CC, nullptr));
  element->body->share(std::move(rate));
  return GST_ELEMENT(element);
}

void rtp_desktop_cc_set_rtx(GstElement* element, const RtxStream& stream) { GST_RTP_DESKTOP_CC(element)->body->set_rtx(stream); }

void rtp_desktop_cc_probe(GstElement* element, guint bytes) { GST_RTP_DESKTOP_CC(element)->body->ask_probe(bytes); }

void rtp_desktop_cc_poll(GstElement* element) { GST_RTP_DESKTOP_CC(element)->body->notify(); }

}  // namespace vitrine
