// SPDX-License-Identifier: LGPL-2.1-or-later
// A peer connection on the shared port.
#include <gst/webrtc/webrtc.h>

#include "webrtc/gsticelite.h"
#include "webrtc/peer-network.h"

namespace vitrine {
namespace {

class LiteNetwork : public PeerNetwork {
 public:
  LiteNetwork(IceIo& io, GMainContext* context) : agent_(Ref<GstIceLite>::adopt(new_ice_lite(io, context))) {}
  ~LiteNetwork() override { close(); }

  GstElement* make_webrtcbin() override {
    const auto references = g_atomic_int_get(&G_OBJECT(agent_.get())->ref_count);
    GstElement* webrtc = gst_element_factory_make_full("webrtcbin", "ice-agent", agent_.get(), "bundle-policy",
                                                       GST_WEBRTC_BUNDLE_POLICY_MAX_BUNDLE, "latency", 20u, nullptr);
    // Versions of webrtcbin drop a reference to the agent at their end that they never took: give it to them.
    if (webrtc && g_atomic_int_get(&G_OBJECT(agent_.get())->ref_count) == references)
      g_object_ref(agent_.get());
    return webrtc;
  }
  bool lite() const override { return true; }
  // A lite agent answers checks from wherever they come.
  void add_candidate(guint, const std::string&) override {}
  IceStatistics statistics() const override {
    const auto endpoint = ice_lite_endpoint(agent_.get());
    return endpoint ? endpoint->statistics() : IceStatistics{};
  }
  int64_t last_received_us() const override {
    const auto endpoint = ice_lite_endpoint(agent_.get());
    return endpoint ? endpoint->last_received_us() : 0;
  }
  bool heard() const override { return last_received_us() != 0; }
  std::function<size_t()> backlog() const override {
    // The endpoint exists once webrtcbin has made its transport, so it is looked up through the agent.
    const auto agent = std::make_shared<Ref<GstIceLite>>(agent_.copy());
    return [agent] {
      const auto endpoint = ice_lite_endpoint(agent->get());
      return endpoint ? endpoint->backlog() : size_t{0};
    };
  }
  Ref<GstPad> output() const override { return ice_lite_output(agent_.get()); }
  void watch_echoes(EchoWatch watch) override {
    if (const auto endpoint = ice_lite_endpoint(agent_.get()))
      endpoint->watch_echoes(std::move(watch));
  }
  void close() override { ice_lite_close(agent_.get()); }

 private:
  const Ref<GstIceLite> agent_;
};

}  // namespace

std::unique_ptr<PeerNetwork> new_lite_network(IceIo& io, GMainContext* context) { return std::make_unique<LiteNetwork>(io, context); }

}  // namespace vitrine
