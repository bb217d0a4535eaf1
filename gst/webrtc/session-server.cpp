// SPDX-License-Identifier: LGPL-2.1-or-later
// Viewers come and go; control moves; everything ends cleanly.
#include "webrtc/session-server.h"

#include <algorithm>

#include "webrtc/certificate.h"
#include "webrtc/debug.h"

namespace vitrine {
namespace {

constexpr guint kTickMs = 50;

}  // namespace

SessionServer::SessionServer(ServerSettings settings, ServerHost host)
    : settings_(std::move(settings)),
      host_(std::move(host)),
      context_(Ref<GMainContext>::adopt(g_main_context_new())),
      loop_(Ref<GMainLoop>::adopt(g_main_loop_new(context_.get(), FALSE))),
      ice_servers_(std::make_unique<IceServerStore>(settings_.network.turn)),
      turn_forwarders_(settings_.network.turn.tls_ca_file),
      control_output_(std::make_shared<ControlOutput>(host_.control)),
      talk_output_(std::make_shared<TalkOutput>(host_.talk)) {}

SessionServer::~SessionServer() { stop(); }

SessionServer::StartError SessionServer::start(std::string& error) {
  if (!ice_servers_->load(error))
    return StartError::network;
  if (!settings_.tls_certificate.empty()) {
    certificate_ = load_certificate(settings_.tls_certificate, settings_.tls_key, error);
    if (!certificate_)
      return StartError::certificate;
  }
  PortMux::Handlers handlers;
  handlers.http = [this](UniqueFd fd) { http_->accept_plain(std::move(fd)); };
  handlers.tls = [this](UniqueFd fd) { http_->accept_tls(std::move(fd)); };
  handlers.stun = [this](UniqueFd fd, const SocketAddress& remote) {
    if (settings_.tcp)
      ice_.adopt_tcp(std::move(fd), remote);
  };
  port_ = std::make_unique<PortMux>(context_.get(), std::move(handlers));
  bool in_use = false;
  if (!port_->listen(settings_.listen_address, settings_.port, error, in_use)) {
    port_.reset();
    return in_use ? StartError::in_use : StartError::address;
  }
  if (!ice_.start(settings_.listen_address, settings_.port, settings_.udp, error)) {
    port_.reset();
    error = "UDP: " + error;
    return StartError::in_use;
  }
  reaper_ = std::make_unique<Reaper>();
  thread_ = std::thread([this] { run(); });
  return StartError::none;
}

/// Makes what a peer connection is made of and throws it away: loading it from disk and making the DTLS key takes half a second that
/// the first viewer shall not wait for.
void SessionServer::load_plugins() {
  for (const char* name : {"webrtcbin", "rtpsession", "rtpfunnel", "rtprtxsend", "rtph264pay", "dtlssrtpenc", "dtlssrtpdec",
                           "sctpenc", "sctpdec"})
    Ref<GstElement>::sink(gst_element_factory_make(name, nullptr));
}

HttpSettings SessionServer::http_settings() const {
  HttpSettings http;
  http.require_auth = settings_.require_auth;
  http.accounts = settings_.accounts;
  http.web_root = settings_.web_root;
  http.port = settings_.port;
  http.certificate = certificate_.get();
  http.base_path = settings_.network.base_path;
  http.files = settings_.files;
  std::string checked;
  http.proxies = TrustedProxies::parse(settings_.network.trusted_proxies, checked).value_or(TrustedProxies());
  return http;
}

void SessionServer::run() {
  pthread_setname_np(pthread_self(), "vitrine-session");
  g_main_context_push_thread_default(context_.get());
  lobby_ = std::make_unique<WsLobby>([this](auto connection, const auto& identity, const auto& token) {
    return attach(std::move(connection), identity, token);
  });
  http_ = std::make_unique<HttpServer>(
      http_settings(),
      HttpHandlers{[this](SoupWebsocketConnection* connection, const ViewerRequest& request) {
                     on_websocket(connection, request);
                   },
                   [this](SoupWebsocketConnection* connection, const ViewerRequest& request) {
                     lobby_->add(connection, request);
                     set_ticking(true);
                   },
                   [this] { return metrics(); },
                   [this] { return statistics_json(); },
                   [this](const std::string& name) { return rtc_configuration_json(ice_servers_->for_name(name)); }});
  ice_servers_->start([this] { on_ice_servers_changed(); });
  load_plugins();
  for (const auto& place : signaller_places(settings_.network.signaller))
    signallers_.push_back(std::make_unique<ExternalSignaller>(
        settings_.network.signaller, place, [this](auto channel, const auto& request) { add_viewer(std::move(channel), request); }));
  g_main_loop_run(loop_.get());

  for (auto& viewer : std::exchange(viewers_, {})) {
    viewer->send(MessageWriter("error")
                     .text("code", "shutdown")
                     .text("message", "the server ends")
                     .boolean("retry", true)
                     .finish());
    viewer->close(SOUP_WEBSOCKET_CLOSE_GOING_AWAY, "shutdown");
    ended_.push_back(std::move(viewer));
  }
  set_ticking(false);
  // Let the last WebSocket frames out, but do not wait for browsers that do not answer.
  const int64_t until_us = g_get_monotonic_time() + 100'000;
  while (!ended_.empty() && g_get_monotonic_time() < until_us) {
    if (!g_main_context_iteration(context_.get(), FALSE))
      g_usleep(2000);
  }
  ended_.clear();
  signallers_.clear();
  lobby_.reset();
  port_.reset();
  http_.reset();
  while (g_main_context_iteration(context_.get(), FALSE)) {
  }
  g_main_context_pop_thread_default(context_.get());
}

void SessionServer::stop() {
  if (!thread_.joinable())
    return;
  post([this] { g_main_loop_quit(loop_.get()); });
  thread_.join();
  reaper_.reset();  // waits for the viewers' pipelines, which still use the ICE thread
  ice_.stop();
}

void SessionServer::post(std::function<void()> task, bool wait) {
  struct Task {
    std::function<void()> run;
    Mutex mutex;
    Condition done;
    bool finished GUARDED_BY(mutex) = false;
  };
  auto shared = std::make_shared<Task>();
  shared->run = std::move(task);
  GSource* source = g_idle_source_new();
  g_source_set_priority(source, G_PRIORITY_DEFAULT);
  g_source_set_callback(
      source,
      [](gpointer data) -> gboolean {
        auto& held = **static_cast<std::shared_ptr<Task>*>(data);
        held.run();
        return G_SOURCE_REMOVE;
      },
      new std::shared_ptr<Task>(shared),
      [](gpointer data) {
        // Also when the loop has ended and the task will never run.
        auto* held = static_cast<std::shared_ptr<Task>*>(data);
        {
          MutexLock lock((*held)->mutex);
          (*held)->finished = true;
          (*held)->done.notify_all();
        }
        delete held;
      });
  g_source_attach(source, context_.get());
  g_source_unref(source);
  if (!wait)
    return;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  MutexLock lock(shared->mutex);
  while (!shared->finished && shared->done.wait_until(shared->mutex, deadline)) {
  }
}

void SessionServer::on_websocket(SoupWebsocketConnection* connection, const ViewerRequest& request) {
  add_viewer(new_websocket_channel(connection), request);
}

void SessionServer::add_viewer(std::unique_ptr<ViewerChannel> channel, const ViewerRequest& request) {
  ++viewers_total_;
  auto viewer = std::make_unique<Viewer>(*this, std::move(channel), request, control_output_);
  Viewer& added = *viewer;
  viewers_.push_back(std::move(viewer));
  set_ticking(true);
  if (viewers_.size() > settings_.max_viewers)
    added.refuse("busy", "there are " + std::to_string(settings_.max_viewers) + " viewers already", true);
}

bool SessionServer::attach(Ref<SoupWebsocketConnection> connection, const Identity& identity, const std::string& token) {
  const auto found = std::find_if(viewers_.begin(), viewers_.end(), [&](const auto& viewer) {
    return viewer->token() == token && viewer->request().identity.account == identity.account && viewer->may_attach();
  });
  if (found == viewers_.end())
    return false;
  (*found)->attach(std::move(connection));
  return true;
}

void SessionServer::set_ticking(bool on) {
  if (on == static_cast<bool>(tick_source_))
    return;
  if (!on) {
    g_source_destroy(tick_source_.get());
    tick_source_.reset();
    return;
  }
  tick_source_ = Ref<GSource>::adopt(g_timeout_source_new(kTickMs));
  g_source_set_callback(
      tick_source_.get(),
      [](gpointer self) -> gboolean {
        static_cast<SessionServer*>(self)->tick();
        return G_SOURCE_CONTINUE;
      },
      this, nullptr);
  g_source_attach(tick_source_.get(), context_.get());
}

void SessionServer::tick() {
  const int64_t now_us = g_get_monotonic_time();
  ended_.clear();
  lobby_->tick(now_us);
  for (const auto& fanout : host_.media())
    fanout->poll(now_us);
  control_.active(control_output_->last_input_us());
  if (control_.poll(now_us))
    announce_holder();
  // A viewer that ends takes itself out of the list.
  std::vector<Viewer*> all;
  for (const auto& viewer : viewers_)
    all.push_back(viewer.get());
  for (Viewer* viewer : all)
    viewer->tick(now_us);
  follow_streams();
  direct_rates(now_us);
  if (viewers_.empty() && ended_.empty() && lobby_->empty())
    set_ticking(false);
}

void SessionServer::direct_rates(int64_t now_us) {
  const auto media = host_.media();
  std::vector<RatedViewer> rated;
  for (const auto& viewer : viewers_)
    if (const auto rate = viewer->rate())
      for (const auto& fanout : media)
        if (viewer->peer()->uses(*fanout))
          rated.push_back({rate, fanout.get(), viewer->id() == control_.holder()});
  rates_.tick(now_us, media, rated);
  std::vector<PathFacts> paths;
  for (const auto& viewer : viewers_)
    if (const auto rate = viewer->rate())
      paths.push_back({viewer->request().remote_address, rate->facts().queue_us, rate->feedback().taken});
  http_->pace().tick(now_us, paths);
}

void SessionServer::follow_streams() {
  const auto media = host_.media();
  std::vector<Viewer*> all;
  for (const auto& viewer : viewers_)
    all.push_back(viewer.get());
  for (Viewer* viewer : all)
    viewer->follow(media);
  for (const auto& fanout : media) {
    const auto uses = [&](const auto& viewer) { return viewer->uses(*fanout); };
    const auto count = static_cast<unsigned>(std::count_if(viewers_.begin(), viewers_.end(), uses));
    if (std::exchange(users_[fanout->name()], count) != count)
      host_.stream_users(fanout->name(), count);
  }
}

Viewer* SessionServer::find(const std::string& id) {
  const auto found = std::find_if(viewers_.begin(), viewers_.end(), [&](const auto& v) { return v->id() == id; });
  return found == viewers_.end() ? nullptr : found->get();
}

Viewer* SessionServer::find_resumed(const Viewer& viewer) {
  const auto found = std::find_if(viewers_.begin(), viewers_.end(), [&](const auto& other) {
    return other.get() != &viewer && other->resume_token() == viewer.resumes() && other->request().identity.account == viewer.request().identity.account;
  });
  return viewer.resumes().empty() || found == viewers_.end() ? nullptr : found->get();
}

void SessionServer::broadcast(const std::string& json) {
  for (const auto& viewer : viewers_)
    if (viewer->said_hello())
      viewer->send(json);
}

void SessionServer::viewer_joined(Viewer& viewer) {
  control_.join(viewer.id(), viewer.request().identity.account, viewer.request().identity.role == Role::control,
                g_get_monotonic_time());
  if (Viewer* former = find_resumed(viewer)) {
    control_.succeed(former->id(), viewer.id());
    former->close(SOUP_WEBSOCKET_CLOSE_GOING_AWAY, "back by another connection");
  }
  if (control_.holder() == announced_holder_)
    viewer.send(holder_message(viewer));
  announce_holder();
  broadcast(MessageWriter("viewers").number("count", static_cast<double>(viewers_.size())).finish());
  for (const auto& [topic, notice] : notices_)
    viewer.send(notice);
}

void SessionServer::viewer_ended(Viewer& viewer, const std::string& reason) {
  const std::string id = viewer.id();
  const auto found =
      std::find_if(viewers_.begin(), viewers_.end(), [&](const auto& v) { return v.get() == &viewer; });
  if (found != viewers_.end()) {
    ended_.push_back(std::move(*found));
    viewers_.erase(found);
  }
  control_.leave(id);
  announce_holder();
  broadcast(MessageWriter("viewers").number("count", static_cast<double>(viewers_.size())).finish());
  GST_INFO("viewer %s left: %s", id.c_str(), reason.c_str());
  host_.viewer_removed(id, reason);
}

void SessionServer::announce_holder() {
  const std::string holder = control_.holder();
  control_output_->set_holder(holder);
  if (!talker_.empty() && talker_ != holder)
    set_talker("");
  announce_session();
  if (holder == announced_holder_)
    return;
  announced_holder_ = holder;
  for (const auto& viewer : viewers_)
    if (viewer->said_hello())
      viewer->send(holder_message(*viewer));
  for (const auto& asking : control_.asking())
    if (const Viewer* viewer = find(asking))
      ask_holder(*viewer);
}

void SessionServer::announce_session(bool again) {
  std::string viewers;
  for (const auto& viewer : viewers_)
    if (viewer->said_hello())
      viewers += (viewers.empty() ? "" : ",") + json_string(viewer->id());
  MessageWriter message("desktop/session");
  if (control_.holder().empty())
    message.null("holder");
  else
    message.text("holder", control_.holder());
  const std::string session = message.raw("viewers", "[" + viewers + "]").finish();
  if (again || session != announced_session_)
    control_output_->announce(session);
  announced_session_ = session;
}

void SessionServer::desktop_ready() {
  post([this] { announce_session(true); });
}

std::string SessionServer::holder_message(const Viewer& to) {
  const Viewer* holding = find(control_.holder());
  MessageWriter message("control");
  if (holding)
    message.text("holder", holding->id()).text("name", holding->name());
  else
    message.null("holder");
  return message.boolean("you", holding == &to).finish();
}

void SessionServer::ask_holder(const Viewer& asking) {
  if (Viewer* holder = find(control_.holder()))
    holder->send(MessageWriter("control-asked").text("peer", asking.id()).text("name", asking.name()).finish());
}

void SessionServer::control_requested(Viewer& viewer) {
  control_.active(control_output_->last_input_us());
  if (control_.request(viewer.id(), g_get_monotonic_time()) == ControlHolder::Outcome::asked)
    ask_holder(viewer);
  announce_holder();
}

void SessionServer::control_released(Viewer& viewer) {
  control_.release(viewer.id());
  announce_holder();
}

void SessionServer::control_answered(Viewer& viewer, const ControlAnswerMessage& answer) {
  control_.answer(viewer.id(), answer.peer, answer.granted);
  announce_holder();
}

/// Who holds control is heard: as only one plays on the keyboard, only one speaks.
void SessionServer::microphone_asked(Viewer& viewer, bool on) {
  const bool may = viewer.may_talk() && control_.holder() == viewer.id();
  if (on && may) {
    set_talker(viewer.id());
    viewer.send(MessageWriter("microphone").boolean("on", true).finish());
  } else if (talker_ == viewer.id()) {
    set_talker("");
  } else {
    viewer.send(MessageWriter("microphone").boolean("on", false).text("reason", on ? viewer.may_talk() ? "control" : "forbidden" : "").finish());
  }
}

void SessionServer::set_talker(const std::string& id) {
  const std::string before = std::exchange(talker_, id);
  if (before == id)
    return;
  talk_output_->set_talker(id);
  host_.stream_users("mic_src", id.empty() ? 0 : 1);
  if (Viewer* former = find(before))
    former->send(MessageWriter("microphone").boolean("on", false).text("reason", control_.holder() == before ? "" : "control").finish());
}

bool SessionServer::desktop_message(Viewer& viewer, const std::string& text) {
  const auto edited = edit_desktop_message(text, "from", viewer.id().c_str());
  return edited && control_output_->push_message(viewer.id(), *edited);
}

void SessionServer::send_to_viewers(const std::string& json, const std::string& to) {
  post([this, json, to] {
    if (to.empty())
      broadcast(json);
    else if (Viewer* viewer = find(to))
      viewer->send(json);
  });
}

void SessionServer::on_ice_servers_changed() {
  for (const auto& viewer : viewers_)
    if (viewer->said_hello())
      viewer->tell_ice_servers();
}

void SessionServer::set_notice(const std::string& topic, const std::string& level, const std::string& text) {
  post([this, topic, level, text] {
    const std::string notice = MessageWriter("notice").text("level", level).text("topic", topic).text("text", text).finish();
    if (text.empty() && notices_.erase(topic) == 0)
      return;
    if (!text.empty())
      notices_[topic] = notice;
    broadcast(notice);
  });
}

void SessionServer::restart_media() {
  post([this] {
    std::vector<Viewer*> all;
    for (const auto& viewer : viewers_)
      all.push_back(viewer.get());
    for (Viewer* viewer : all)
      viewer->offer_again("the pipeline starts anew");
  });
}

void SessionServer::kick(const std::string& id, const std::string& reason) {
  post([this, id, reason] {
    if (Viewer* viewer = find(id))
      viewer->refuse("kicked", reason, false);
  });
}

ServerStatistics SessionServer::statistics() {
  auto result = std::make_shared<ServerStatistics>();
  post(
      [this, result] {
        result->viewers = viewers_.size();
        for (const auto& viewer : viewers_) {
          result->input_records += viewer->input_records();
          const auto traffic = viewer->traffic();
          result->connected += std::any_of(traffic.begin(), traffic.end(), [](const auto& way) { return way.connected; });
          for (const auto& way : traffic) {
            result->frames_sent += way.video.frames;
            result->frames_dropped += way.video.dropped;
            result->bytes_sent += way.bytes;
          }
        }
      },
      true);
  return *result;
}

std::string SessionServer::metrics() {
  std::string out;
  const auto line = [&out](const char* name, const std::string& labels, double value) {
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    out += std::string(name) + labels + " " + g_ascii_dtostr(text, sizeof text, value) + "\n";
  };
  const auto head = [&out](const char* name, const char* type, const char* help) {
    out += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
  };
  head("vitrine_viewers", "gauge", "Viewers with an open session.");
  line("vitrine_viewers", "", static_cast<double>(viewers_.size()));
  head("vitrine_viewers_total", "counter", "Sessions since the start.");
  line("vitrine_viewers_total", "", static_cast<double>(viewers_total_));
  size_t index = 0;
  head("vitrine_stream_frames_total", "counter", "Access units that came from the encoder.");
  for (const auto& fanout : host_.media())
    line("vitrine_stream_frames_total", "{stream=\"" + std::to_string(index++) + "\"}", static_cast<double>(fanout->frames()));
  index = 0;
  head("vitrine_keyframe_requests_total", "counter", "Keyframes asked from the encoder.");
  for (const auto& fanout : host_.media())
    line("vitrine_keyframe_requests_total", "{stream=\"" + std::to_string(index++) + "\"}",
         static_cast<double>(fanout->keyframes_requested()));

  struct Metric {
    const char* name;
    const char* type;
    const char* help;
    double (*value)(const Traffic&);
  };
  static constexpr Metric metrics[] = {
      {"vitrine_viewer_sent_bytes_total", "counter", "Bytes sent by the media transport.",
       [](const Traffic& way) { return static_cast<double>(way.bytes); }},
      {"vitrine_viewer_sent_packets_total", "counter", "Packets sent by the media transport; by WebSocket, frames.",
       [](const Traffic& way) { return static_cast<double>(way.packets); }},
      {"vitrine_viewer_dropped_packets_total", "counter", "Packets that the socket would not take.",
       [](const Traffic& way) { return static_cast<double>(way.packets_dropped); }},
      {"vitrine_viewer_frames_total", "counter", "Video frames passed on to the viewer.",
       [](const Traffic& way) { return static_cast<double>(way.video.frames); }},
      {"vitrine_viewer_dropped_frames_total", "counter", "Video frames left out because the viewer was too slow.",
       [](const Traffic& way) { return static_cast<double>(way.video.dropped); }},
      {"vitrine_viewer_unacknowledged_bytes", "gauge", "Bytes of frames on their way by WebSocket.",
       [](const Traffic& way) { return static_cast<double>(way.unacknowledged_bytes); }},
  };
  for (const auto& metric : metrics) {
    head(metric.name, metric.type, metric.help);
    for (const auto& viewer : viewers_)
      for (const auto& way : viewer->traffic())
        line(metric.name, "{viewer=\"" + viewer->id() + "\",transport=\"" + way.name + "\"}", metric.value(way));
  }
  head("vitrine_viewer_input_records_total", "counter", "Input records taken.");
  for (const auto& viewer : viewers_)
    line("vitrine_viewer_input_records_total", "{viewer=\"" + viewer->id() + "\"}", static_cast<double>(viewer->input_records()));
  struct RateMetric {
    const char* name;
    const char* help;
    double (*value)(const RateFacts&);
  };
  static constexpr RateMetric rate_metrics[] = {
      {"vitrine_viewer_rate_bits", "What the viewer's path carries, estimated, bits per second.", [](const RateFacts& f) { return f.target_bps; }},
      {"vitrine_viewer_queue_seconds", "Queue that stands on the way to the viewer.", [](const RateFacts& f) { return static_cast<double>(f.queue_us) / 1e6; }},
      {"vitrine_viewer_rtt_seconds", "Round trip of the newest packet, the feedback's interval included.",
       [](const RateFacts& f) { return static_cast<double>(f.rtt_us) / 1e6; }},
      {"vitrine_viewer_loss_ratio", "Packets lost, of the last second's.", [](const RateFacts& f) { return f.loss; }},
  };
  for (const auto& metric : rate_metrics) {
    head(metric.name, "gauge", metric.help);
    for (const auto& viewer : viewers_)
      if (const auto rate = viewer->rate())
        line(metric.name, "{viewer=\"" + viewer->id() + "\"}", metric.value(rate->facts()));
  }
  index = 0;
  head("vitrine_stream_pictures_left_out_total", "counter", "Pictures that were not encoded because the viewers' paths were full.");
  for (const auto& fanout : host_.media())
    line("vitrine_stream_pictures_left_out_total", "{stream=\"" + std::to_string(index++) + "\"}", static_cast<double>(rates_.left_out(*fanout)));
  head("vitrine_viewer_hold_seconds", "summary", "Time from the payloader to the socket, per video frame.");
  for (const auto& viewer : viewers_) {
    if (!viewer->peer())
      continue;
    const auto hold = viewer->peer()->hold();
    const std::string labels = "{viewer=\"" + viewer->id() + "\"";
    line("vitrine_viewer_hold_seconds", labels + ",quantile=\"0.5\"}", hold.p50_s);
    line("vitrine_viewer_hold_seconds", labels + ",quantile=\"0.95\"}", hold.p95_s);
    line("vitrine_viewer_hold_seconds_sum", labels + "}", hold.sum_s);
    line("vitrine_viewer_hold_seconds_count", labels + "}", static_cast<double>(hold.count));
  }
  out += latency_lines();
  if (!signallers_.empty())
    head("vitrine_signalling_registered", "gauge", "Whether this name is registered at the external signalling server.");
  for (const auto& signaller : signallers_)
    line("vitrine_signalling_registered", "{id=" + json_string(signaller->id()) + "}", signaller->registered() ? 1 : 0);
  const auto ice = ice_.statistics();
  head("vitrine_ice_refused_total", "counter", "Packets and connections without valid credentials.");
  line("vitrine_ice_refused_total", "",
       static_cast<double>(ice.unknown_packets + ice.unknown_requests + ice.refused_connections));
  return out;
}

}  // namespace vitrine
