// SPDX-License-Identifier: LGPL-2.1-or-later
// GstWebRTCICE, -Stream and -Transport subclasses over IceIo. With max-bundle there is one stream with one transport per agent.
#include "webrtc/gsticelite.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/webrtc/icestream.h>
#include <gst/webrtc/icetransport.h>

#include "common/ref.h"
#include "webrtc/ice-io.h"

using namespace vitrine;

namespace {

struct AgentState {
  IceIo* io = nullptr;
  Ref<GMainContext> context;
  Mutex mutex;
  std::shared_ptr<IceEndpoint> endpoint GUARDED_BY(mutex);
  std::string ufrag GUARDED_BY(mutex), password GUARDED_BY(mutex), remote_ufrag GUARDED_BY(mutex);
  bool closed GUARDED_BY(mutex) = false;
};

}  // namespace

// ---- transport: appsrc for what comes from the browser, appsink for what goes to it ----

#define GST_TYPE_ICE_LITE_TRANSPORT (gst_ice_lite_transport_get_type())
G_DECLARE_FINAL_TYPE(GstIceLiteTransport, gst_ice_lite_transport, GST, ICE_LITE_TRANSPORT, GstWebRTCICETransport)

struct _GstIceLiteTransport {
  GstWebRTCICETransport parent;
  std::shared_ptr<IceEndpoint>* endpoint;
};

G_DEFINE_TYPE(GstIceLiteTransport, gst_ice_lite_transport, GST_TYPE_WEBRTC_ICE_TRANSPORT)

static void gst_ice_lite_transport_finalize(GObject* object) {
  auto* self = GST_ICE_LITE_TRANSPORT(object);
  if (*self->endpoint)
    (*self->endpoint)->close();
  delete self->endpoint;
  G_OBJECT_CLASS(gst_ice_lite_transport_parent_class)->finalize(object);
}

static void gst_ice_lite_transport_class_init(GstIceLiteTransportClass* klass) {
  G_OBJECT_CLASS(klass)->finalize = gst_ice_lite_transport_finalize;
}

static void gst_ice_lite_transport_init(GstIceLiteTransport* self) {
  self->endpoint = new std::shared_ptr<IceEndpoint>();
}

static void send_buffer(IceEndpoint& endpoint, GstBuffer* buffer) {
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ))
    return;
  endpoint.send({map.data, map.size});
  gst_buffer_unmap(buffer, &map);
}

static GstFlowReturn on_new_sample(GstAppSink* sink, gpointer user_data) {
  auto& endpoint = *static_cast<std::shared_ptr<IceEndpoint>*>(user_data);
  auto sample = Ref<GstSample>::adopt(gst_app_sink_pull_sample(sink));
  if (!sample)
    return GST_FLOW_EOS;
  if (GstBufferList* list = gst_sample_get_buffer_list(sample.get())) {
    for (guint i = 0; i < gst_buffer_list_length(list); ++i)
      send_buffer(*endpoint, gst_buffer_list_get(list, i));
  } else if (GstBuffer* buffer = gst_sample_get_buffer(sample.get())) {
    send_buffer(*endpoint, buffer);
  }
  return GST_FLOW_OK;
}

/// Tells webrtcbin that the browser has chosen a path. Runs on the agent's context: webrtcbin starts DTLS from it.
static void announce_connected(GstWebRTCICETransport* transport) {
  gst_webrtc_ice_transport_selected_pair_change(transport);
  gst_webrtc_ice_transport_connection_state_change(transport, GST_WEBRTC_ICE_CONNECTION_STATE_CONNECTED);
  gst_webrtc_ice_transport_connection_state_change(transport, GST_WEBRTC_ICE_CONNECTION_STATE_COMPLETED);
}

static GstWebRTCICETransport* make_transport(AgentState& agent) {
  auto* self = GST_ICE_LITE_TRANSPORT(g_object_new(GST_TYPE_ICE_LITE_TRANSPORT, nullptr));
  gst_object_ref_sink(self);
  GstWebRTCICETransport* base = &self->parent;
  base->component = GST_WEBRTC_ICE_COMPONENT_RTP;
  base->role = GST_WEBRTC_ICE_ROLE_CONTROLLED;

  base->src = gst_element_factory_make("appsrc", nullptr);
  auto caps = Ref<GstCaps>::adopt(gst_caps_new_empty_simple("application/x-rtp"));
  g_object_set(base->src, "is-live", TRUE, "do-timestamp", TRUE, "format", GST_FORMAT_TIME, "caps", caps.get(),
               "min-latency", gint64{0}, "max-bytes", guint64{4 * 1024 * 1024}, "leaky-type",
               GST_APP_LEAKY_TYPE_DOWNSTREAM, nullptr);
  base->sink = gst_element_factory_make("appsink", nullptr);
  g_object_set(base->sink, "sync", FALSE, "async", FALSE, "enable-last-sample", FALSE, "buffer-list", TRUE, nullptr);

  // The source is kept by its own reference: a packet may arrive while webrtcbin takes its elements apart.
  auto source = std::make_shared<Ref<GstElement>>(Ref<GstElement>::share(base->src));
  auto weak = std::shared_ptr<GWeakRef>(new GWeakRef, [](GWeakRef* ref) {
    g_weak_ref_clear(ref);
    delete ref;
  });
  g_weak_ref_init(weak.get(), self);
  GMainContext* context = agent.context.get();
  IceEndpoint::Callbacks callbacks;
  callbacks.packet = [source](std::span<const uint8_t> packet) {
    gst_app_src_push_buffer(GST_APP_SRC(source->get()), gst_buffer_new_memdup(packet.data(), packet.size()));
  };
  callbacks.connected = [weak, context] {
    auto* held = new std::shared_ptr<GWeakRef>(weak);
    g_main_context_invoke_full(
        context, G_PRIORITY_HIGH,
        [](gpointer data) -> gboolean {
          auto transport = Ref<GstWebRTCICETransport>::adopt(static_cast<GstWebRTCICETransport*>(
              g_weak_ref_get(static_cast<std::shared_ptr<GWeakRef>*>(data)->get())));
          if (transport)
            announce_connected(transport.get());
          return G_SOURCE_REMOVE;
        },
        held, [](gpointer data) { delete static_cast<std::shared_ptr<GWeakRef>*>(data); });
  };
  *self->endpoint = std::make_shared<IceEndpoint>(*agent.io, std::move(callbacks));

  GstAppSinkCallbacks sink_callbacks{};
  sink_callbacks.new_sample = on_new_sample;
  gst_app_sink_set_callbacks(GST_APP_SINK(base->sink), &sink_callbacks,
                             new std::shared_ptr<IceEndpoint>(*self->endpoint),
                             [](gpointer data) { delete static_cast<std::shared_ptr<IceEndpoint>*>(data); });
  return base;
}

// ---- stream ----

#define GST_TYPE_ICE_LITE_STREAM (gst_ice_lite_stream_get_type())
G_DECLARE_FINAL_TYPE(GstIceLiteStream, gst_ice_lite_stream, GST, ICE_LITE_STREAM, GstWebRTCICEStream)

struct _GstIceLiteStream {
  GstWebRTCICEStream parent;
  AgentState* agent;  // owned by the agent, which owns this stream
  GstWebRTCICETransport* transport;
};

G_DEFINE_TYPE(GstIceLiteStream, gst_ice_lite_stream, GST_TYPE_WEBRTC_ICE_STREAM)

static GstWebRTCICETransport* stream_find_transport(GstWebRTCICEStream* base, GstWebRTCICEComponent) {
  auto* self = GST_ICE_LITE_STREAM(base);
  if (!self->transport) {
    self->transport = make_transport(*self->agent);
    AgentState& agent = *self->agent;
    MutexLock lock(agent.mutex);
    agent.endpoint = *GST_ICE_LITE_TRANSPORT(self->transport)->endpoint;
  }
  return GST_WEBRTC_ICE_TRANSPORT(gst_object_ref(self->transport));
}

static gboolean stream_gather_candidates(GstWebRTCICEStream* base) {
  // There is nothing to gather: the candidates are put in the offer's text. webrtcbin waits for the states.
  auto* self = GST_ICE_LITE_STREAM(base);
  if (!self->transport)
    return FALSE;
  gst_webrtc_ice_transport_gathering_state_change(self->transport, GST_WEBRTC_ICE_GATHERING_STATE_GATHERING);
  gst_webrtc_ice_transport_connection_state_change(self->transport, GST_WEBRTC_ICE_CONNECTION_STATE_CHECKING);
  gst_webrtc_ice_transport_gathering_state_change(self->transport, GST_WEBRTC_ICE_GATHERING_STATE_COMPLETE);
  return TRUE;
}

static void gst_ice_lite_stream_finalize(GObject* object) {
  gst_clear_object(&GST_ICE_LITE_STREAM(object)->transport);
  G_OBJECT_CLASS(gst_ice_lite_stream_parent_class)->finalize(object);
}

static void gst_ice_lite_stream_class_init(GstIceLiteStreamClass* klass) {
  G_OBJECT_CLASS(klass)->finalize = gst_ice_lite_stream_finalize;
  auto* stream_class = reinterpret_cast<GstWebRTCICEStreamClass*>(klass);
  stream_class->find_transport = stream_find_transport;
  stream_class->gather_candidates = stream_gather_candidates;
}

static void gst_ice_lite_stream_init(GstIceLiteStream*) {}

// ---- agent ----

struct _GstIceLite {
  GstWebRTCICE parent;
  AgentState* state;
  GstIceLiteStream* stream;
};

G_DEFINE_TYPE(GstIceLite, gst_ice_lite, GST_TYPE_WEBRTC_ICE)

static GstWebRTCICEStream* agent_add_stream(GstWebRTCICE* ice, guint session_id) {
  auto* self = GST_ICE_LITE(ice);
  if (!self->stream) {
    self->stream = GST_ICE_LITE_STREAM(g_object_new(GST_TYPE_ICE_LITE_STREAM, nullptr));
    gst_object_ref_sink(self->stream);
    self->stream->agent = self->state;
    self->stream->parent.stream_id = session_id;
  }
  return &self->stream->parent;
}

static GstWebRTCICETransport* agent_find_transport(GstWebRTCICE*, GstWebRTCICEStream* stream,
                                                   GstWebRTCICEComponent component) {
  return gst_webrtc_ice_stream_find_transport(stream, component);
}

static gboolean agent_gather_candidates(GstWebRTCICE*, GstWebRTCICEStream* stream) {
  return gst_webrtc_ice_stream_gather_candidates(stream);
}

static gboolean agent_set_local_credentials(GstWebRTCICE* ice, GstWebRTCICEStream*, const gchar* ufrag,
                                            const gchar* password) {
  AgentState& state = *GST_ICE_LITE(ice)->state;
  std::shared_ptr<IceEndpoint> endpoint;
  {
    MutexLock lock(state.mutex);
    if (state.closed)
      return FALSE;
    endpoint = state.endpoint;
  }
  if (!endpoint)
    return FALSE;
  endpoint->open(ufrag, password);
  return TRUE;
}

static gboolean agent_set_remote_credentials(GstWebRTCICE* ice, GstWebRTCICEStream*, const gchar* ufrag, const gchar* password) {
  if (auto endpoint = ice_lite_endpoint(GST_ICE_LITE(ice)))
    endpoint->set_remote(ufrag, password ? password : "");
  return TRUE;
}

// A lite agent never sends checks, so it has no use for the browser's candidates.
#if GST_CHECK_VERSION(1, 23, 1)
static void agent_add_candidate(GstWebRTCICE*, GstWebRTCICEStream*, const gchar*, GstPromise* promise) {
  if (promise)
    gst_promise_reply(promise, nullptr);
}
#else
static void agent_add_candidate(GstWebRTCICE*, GstWebRTCICEStream*, const gchar*) {}
#endif

static GstWebRTCICECandidateStats** agent_no_candidates(GstWebRTCICE*, GstWebRTCICEStream*) {
  return g_new0(GstWebRTCICECandidateStats*, 1);
}

static void gst_ice_lite_finalize(GObject* object) {
  auto* self = GST_ICE_LITE(object);
  ice_lite_close(self);
  gst_clear_object(&self->stream);
  delete self->state;
  G_OBJECT_CLASS(gst_ice_lite_parent_class)->finalize(object);
}

static void gst_ice_lite_class_init(GstIceLiteClass* klass) {
  G_OBJECT_CLASS(klass)->finalize = gst_ice_lite_finalize;
  auto* ice = reinterpret_cast<GstWebRTCICEClass*>(klass);
  ice->add_stream = agent_add_stream;
  ice->find_transport = agent_find_transport;
  ice->gather_candidates = agent_gather_candidates;
  ice->add_candidate = agent_add_candidate;
  ice->set_local_credentials = agent_set_local_credentials;
  ice->set_remote_credentials = agent_set_remote_credentials;
  ice->get_local_candidates = agent_no_candidates;
  ice->get_remote_candidates = agent_no_candidates;
  // No servers, no proxy, never controlling: what remains of the interface has one answer.
  ice->set_is_controller = [](GstWebRTCICE*, gboolean) {};
  ice->get_is_controller = [](GstWebRTCICE*) -> gboolean { return FALSE; };
  ice->set_force_relay = [](GstWebRTCICE*, gboolean) {};
  ice->set_stun_server = [](GstWebRTCICE*, const gchar*) {};
  ice->get_stun_server = [](GstWebRTCICE*) -> gchar* { return nullptr; };
  ice->set_turn_server = [](GstWebRTCICE*, const gchar*) {};
  ice->get_turn_server = [](GstWebRTCICE*) -> gchar* { return nullptr; };
  ice->add_turn_server = [](GstWebRTCICE*, const gchar*) -> gboolean { return FALSE; };
  ice->set_http_proxy = [](GstWebRTCICE*, const gchar*) {};
  ice->get_http_proxy = [](GstWebRTCICE*) -> gchar* { return nullptr; };
  ice->set_tos = [](GstWebRTCICE*, GstWebRTCICEStream*, guint) {};
  ice->set_on_ice_candidate = [](GstWebRTCICE*, GstWebRTCICEOnCandidateFunc, gpointer user_data,
                                 GDestroyNotify notify) {
    // webrtcbin sets it once with itself as data and no notify, and clears nothing: there is no candidate to tell.
    if (notify)
      notify(user_data);
  };
  ice->get_selected_pair = [](GstWebRTCICE*, GstWebRTCICEStream*, GstWebRTCICECandidateStats**,
                              GstWebRTCICECandidateStats**) -> gboolean { return FALSE; };
}

static void gst_ice_lite_init(GstIceLite* self) { self->state = new AgentState(); }

namespace vitrine {

GstIceLite* new_ice_lite(IceIo& io, GMainContext* context) {
  auto* agent = GST_ICE_LITE(gst_object_ref_sink(g_object_new(GST_TYPE_ICE_LITE, nullptr)));
  agent->state->io = &io;
  agent->state->context = Ref<GMainContext>::share(context);
  return agent;
}

std::shared_ptr<IceEndpoint> ice_lite_endpoint(GstIceLite* agent) {
  MutexLock lock(agent->state->mutex);
  return agent->state->endpoint;
}

Ref<GstPad> ice_lite_output(GstIceLite* agent) {
  if (!agent->stream || !agent->stream->transport)
    return nullptr;
  return Ref<GstPad>::adopt(gst_element_get_static_pad(agent->stream->transport->sink, "sink"));
}

void ice_lite_close(GstIceLite* agent) {
  std::shared_ptr<IceEndpoint> endpoint;
  {
    MutexLock lock(agent->state->mutex);
    agent->state->closed = true;
    endpoint = std::move(agent->state->endpoint);
  }
  if (endpoint)
    endpoint->close();
}

}  // namespace vitrine
