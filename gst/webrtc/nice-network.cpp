// SPDX-License-Identifier: LGPL-2.1-or-later
// A peer connection through libnice: candidates of all kinds on ports of their own, for servers that nobody can reach directly.
#include <gst/webrtc/webrtc.h>
#include <string.h>

#include <atomic>
#include <utility>

#include "webrtc/debug.h"
#include "webrtc/peer-network.h"
#include "webrtc/turn-forwarder.h"

namespace vitrine {
namespace {

/// Counted on streaming threads.
struct Traffic {
  std::atomic<uint64_t> packets_sent{0}, bytes_sent{0}, packets_received{0};
  std::atomic<int64_t> last_received_us{0};
  std::atomic<IcePath> path{IcePath::none};
};

void count_sent(Traffic& traffic, GstBuffer* buffer) {
  traffic.packets_sent.fetch_add(1, std::memory_order_relaxed);
  traffic.bytes_sent.fetch_add(gst_buffer_get_size(buffer), std::memory_order_relaxed);
}

GstPadProbeReturn on_sent(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto& traffic = **static_cast<std::shared_ptr<Traffic>*>(data);
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    GstBufferList* list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
    for (guint i = 0; i < gst_buffer_list_length(list); ++i)
      count_sent(traffic, gst_buffer_list_get(list, i));
  } else {
    count_sent(traffic, GST_PAD_PROBE_INFO_BUFFER(info));
  }
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn on_received(GstPad*, GstPadProbeInfo*, gpointer data) {
  auto& traffic = **static_cast<std::shared_ptr<Traffic>*>(data);
  traffic.packets_received.fetch_add(1, std::memory_order_relaxed);
  traffic.last_received_us.store(g_get_monotonic_time(), std::memory_order_relaxed);
  return GST_PAD_PROBE_OK;
}

/// The path out of a statistics report: what our candidate of the chosen pair is.
IcePath path_of(const GstStructure* report) {
  IcePath path = IcePath::none;
  gst_structure_foreach(
      report,
      [](GQuark, const GValue* value, gpointer out) -> gboolean {
        if (!GST_VALUE_HOLDS_STRUCTURE(value))
          return TRUE;
        const GstStructure* entry = gst_value_get_structure(value);
        GstWebRTCStatsType type;
        if (!gst_structure_get(entry, "type", GST_TYPE_WEBRTC_STATS_TYPE, &type, nullptr) || type != GST_WEBRTC_STATS_LOCAL_CANDIDATE)
          return TRUE;
        const char* kind = gst_structure_get_string(entry, "candidate-type");
        const char* protocol = gst_structure_get_string(entry, "protocol");
        *static_cast<IcePath*>(out) = g_strcmp0(kind, "relay") == 0                            ? IcePath::relay
                                      : protocol && g_ascii_strncasecmp(protocol, "tcp", 3) == 0 ? IcePath::tcp
                                                                                                 : IcePath::udp;
        return TRUE;
      },
      &path);
  return path;
}

/// GStreamer's own debug lines hold user and password of TURN servers: those are not to be had, however much is asked for.
void quieten_credentials() {
  GSList* all = gst_debug_get_all_categories();
  for (GSList* item = all; item; item = item->next) {
    auto* category = static_cast<GstDebugCategory*>(item->data);
    const std::string name = gst_debug_category_get_name(category);
    if ((name == "webrtcnice" || name == "webrtcice") && gst_debug_category_get_threshold(category) > GST_LEVEL_INFO)
      gst_debug_category_set_threshold(category, GST_LEVEL_INFO);
  }
  g_slist_free(all);
}

/// What webrtcbin finds of candidates. Bound to its thread.
struct Gathering {
  explicit Gathering(const NiceSettings& settings) : settings(settings) {}

  const NiceSettings settings;
  bool relay = false, told = false;
};

std::string turn_urls(const RtcConfiguration& configuration) {
  std::string urls;
  for (const auto& server : configuration.servers)
    for (const auto& url : server.urls)
      if (url.turn)
        urls += (urls.empty() ? "" : ", ") + to_string(url);
  return urls;
}

void on_candidate(GstElement*, guint media_index, const char* candidate, gpointer data) {
  Gathering& gathering = **static_cast<std::shared_ptr<Gathering>*>(data);
  if (!candidate || !*candidate)
    return;
  gathering.relay |= strstr(candidate, " typ relay") != nullptr;
  gathering.settings.candidate(media_index, candidate);
}

void on_gathering_state(GstElement* webrtc, GParamSpec*, gpointer data) {
  Gathering& gathering = **static_cast<std::shared_ptr<Gathering>*>(data);
  GstWebRTCICEGatheringState state;
  g_object_get(webrtc, "ice-gathering-state", &state, nullptr);
  if (state != GST_WEBRTC_ICE_GATHERING_STATE_COMPLETE)
    return;
  gathering.settings.candidate(0, "");
  const std::string urls = turn_urls(gathering.settings.configuration);
  // libnice says neither that a server does not answer nor that it refuses the credentials.
  if (urls.empty() || gathering.relay || std::exchange(gathering.told, true))
    return;
  GST_WARNING("no relay from any TURN server, they cannot be reached or refuse the credentials: %s", urls.c_str());
  ++*gathering.settings.without_relay;
}

class NiceNetwork : public PeerNetwork {
 public:
  explicit NiceNetwork(NiceSettings settings) : settings_(std::move(settings)) {}

  GstElement* make_webrtcbin() override {
    GstElement* webrtc = gst_element_factory_make_full(
        "webrtcbin", "bundle-policy", GST_WEBRTC_BUNDLE_POLICY_MAX_BUNDLE, "latency", 20u, "ice-transport-policy",
        settings_.configuration.relay_only ? GST_WEBRTC_ICE_TRANSPORT_POLICY_RELAY : GST_WEBRTC_ICE_TRANSPORT_POLICY_ALL, nullptr);
    if (!webrtc)
      return nullptr;
    webrtc_ = Ref<GstElement>::share(webrtc);
    quieten_credentials();
    Ref<GObject> ice, nice;
    g_object_get(webrtc, "ice-agent", ice.out(), nullptr);
    if (ice && g_object_class_find_property(G_OBJECT_GET_CLASS(ice.get()), "agent"))
      g_object_get(ice.get(), "agent", nice.out(), nullptr);
    // Nobody asked it to open ports of routers, and it would look for them by multicast.
    if (nice && g_object_class_find_property(G_OBJECT_GET_CLASS(nice.get()), "upnp"))
      g_object_set(nice.get(), "upnp", FALSE, nullptr);
    for (const auto& server : settings_.configuration.servers)
      for (const auto& url : server.urls)
        add_server(server, url);
    const auto gathering = std::make_shared<Gathering>(settings_);
    g_signal_connect_data(webrtc, "on-ice-candidate", G_CALLBACK(on_candidate), new std::shared_ptr<Gathering>(gathering),
                          [](gpointer data, GClosure*) { delete static_cast<std::shared_ptr<Gathering>*>(data); }, GConnectFlags(0));
    g_signal_connect_data(webrtc, "notify::ice-gathering-state", G_CALLBACK(on_gathering_state), new std::shared_ptr<Gathering>(gathering),
                          [](gpointer data, GClosure*) { delete static_cast<std::shared_ptr<Gathering>*>(data); }, GConnectFlags(0));
    g_signal_connect_data(
        webrtc, "deep-element-added", G_CALLBACK(on_deep_element_added), new std::shared_ptr<Traffic>(traffic_),
        [](gpointer data, GClosure*) { delete static_cast<std::shared_ptr<Traffic>*>(data); }, GConnectFlags(0));
    return webrtc;
  }

  bool lite() const override { return false; }

  void add_candidate(guint media_index, const std::string& candidate) override {
    // Names that only the browser's own network can resolve; its checks tell us the address.
    if (webrtc_ && candidate.find(".local ") == std::string::npos)
      g_signal_emit_by_name(webrtc_.get(), "add-ice-candidate", media_index, candidate.c_str());
  }

  void connected() override {
    auto* promise = gst_promise_new_with_change_func(
        [](GstPromise* reply, gpointer data) {
          if (const GstStructure* report = gst_promise_get_reply(reply))
            (*static_cast<std::shared_ptr<Traffic>*>(data))->path = path_of(report);
          gst_promise_unref(reply);
        },
        new std::shared_ptr<Traffic>(traffic_), [](gpointer data) { delete static_cast<std::shared_ptr<Traffic>*>(data); });
    g_signal_emit_by_name(webrtc_.get(), "get-stats", nullptr, promise);
  }

  IceStatistics statistics() const override {
    IceStatistics result;
    result.path = traffic_->path;
    result.packets_sent = traffic_->packets_sent;
    result.bytes_sent = traffic_->bytes_sent;
    result.packets_received = traffic_->packets_received;
    return result;
  }
  int64_t last_received_us() const override { return traffic_->last_received_us; }
  bool heard() const override { return last_received_us() != 0; }
  /// libnice keeps nothing: what a socket does not take is lost.
  std::function<size_t()> backlog() const override {
    return [] { return size_t{0}; };
  }
  Ref<GstPad> output() const override {
    Ref<GstPad> pad;
    GstIterator* all = webrtc_ ? gst_bin_iterate_all_by_element_factory_name(GST_BIN(webrtc_.get()), "nicesink") : nullptr;
    GValue item = G_VALUE_INIT;
    if (all && gst_iterator_next(all, &item) == GST_ITERATOR_OK) {
      pad = Ref<GstPad>::adopt(gst_element_get_static_pad(GST_ELEMENT(g_value_get_object(&item)), "sink"));
      g_value_unset(&item);
    }
    if (all)
      gst_iterator_free(all);
    return pad;
  }
  void close() override { webrtc_.reset(); }

 private:
  void add_server(const IceServer& server, const IceUrl& url) {
    const std::string host = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
    if (!url.turn) {
      // webrtcbin takes one.
      g_object_set(webrtc_.get(), "stun-server", ("stun://" + host + ":" + std::to_string(url.port)).c_str(), nullptr);
      return;
    }
    std::string where = host + ":" + std::to_string(url.port);
    if (url.tcp) {
      where = settings_.forwarders->address_for(url);
      if (where.empty())
        return;
    }
    const std::string uri = "turn://" + percent_encoded(server.username) + ":" + percent_encoded(server.credential) + "@" + where + "?transport=udp";
    gboolean taken = FALSE;
    g_signal_emit_by_name(webrtc_.get(), "add-turn-server", uri.c_str(), &taken);
    if (!taken)
      GST_WARNING("webrtcbin does not take the TURN server %s", to_string(url).c_str());
  }

  static void on_deep_element_added(GstBin*, GstBin*, GstElement* element, gpointer data) {
    GstElementFactory* factory = gst_element_get_factory(element);
    const char* name = factory ? GST_OBJECT_NAME(factory) : "";
    const bool sink = strcmp(name, "nicesink") == 0;
    if (!sink && strcmp(name, "nicesrc") != 0)
      return;
    auto pad = Ref<GstPad>::adopt(gst_element_get_static_pad(element, sink ? "sink" : "src"));
    gst_pad_add_probe(pad.get(), GstPadProbeType(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST), sink ? on_sent : on_received,
                      new std::shared_ptr<Traffic>(*static_cast<std::shared_ptr<Traffic>*>(data)),
                      [](gpointer held) { delete static_cast<std::shared_ptr<Traffic>*>(held); });
  }

  const NiceSettings settings_;
  const std::shared_ptr<Traffic> traffic_ = std::make_shared<Traffic>();
  Ref<GstElement> webrtc_;
};

}  // namespace

std::unique_ptr<PeerNetwork> new_nice_network(NiceSettings settings) { return std::make_unique<NiceNetwork>(std::move(settings)); }

}  // namespace vitrine
