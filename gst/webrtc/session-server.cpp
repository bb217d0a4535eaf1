// SPDX-License-Identifier: LGPL-2.1-or-later
// Viewers come and go; everything ends cleanly.
#include "webrtc/session-server.h"

#include <algorithm>

#include "webrtc/certificate.h"
#include "webrtc/debug.h"

namespace vitrine {
namespace {

constexpr guint kTickMs = 50, kAloneTickMs = 1000;

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
  std::string checked;  // by network_settings_problem()
  http.allowed_origins = AllowedOrigins::parse(settings_.network.allowed_origins, checked).value_or(AllowedOrigins());
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
                     set_tick(kTickMs);
                   },
                   [this] { return metrics(); },
                   [this] { return statistics_json(); },
                   [this](const std::string& name) { return rtc_configuration_json(ice_servers_->for_name(name)); },
                   {[this](auto channel, const ViewerRequest& request) { add_viewer(std::move(channel), request); },
                    [this](const std::string& name) { return ice_servers_->for_name(name); }}});
  ice_servers_->start([this] { on_ice_servers_changed(); });
  load_plugins();
  for (const auto& place : signaller_places(settings_.network.signaller))
    signallers_.push_back(std::make_unique<ExternalSignaller>(
        settings_.network.signaller, place, [this](auto channel, const auto& request) { add_viewer(std::move(channel), request); }));
  set_tick(kAloneTickMs);
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
  set_tick(0);
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
  set_tick(kTickMs);
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

void SessionServer::set_tick(guint interval_ms) {
  if (interval_ms == tick_ms_)
    return;
  tick_ms_ = interval_ms;
  if (tick_source_)
    g_source_destroy(tick_source_.get());
  tick_source_.reset();
  if (interval_ms == 0)
    return;
  // By whole seconds the system may wake several programs at once.
  tick_source_ = Ref<GSource>::adopt(interval_ms % 1000 == 0 ? g_timeout_source_new_seconds(interval_ms / 1000) : g_timeout_source_new(interval_ms));
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
    set_tick(kAloneTickMs);
}

void SessionServer::direct_rates(int64_t now_us) {
  const auto media = host_.media();
  std::vector<RatedViewer> rated;
  for (const auto& viewer : viewers_)
    if (const auto rate = viewer->rate())
      for (const auto& fanout : media)
        if (viewer->uses(*fanout))
          rated.push_back({rate, fanout.get(), viewer->id() == control_.holder()});
  rates_.tick(now_us, media, rated, [this](const Fanout& stream) {
    return std::any_of(viewers_.begin(), viewers_.end(), [&](const auto& viewer) { return viewer->watches(stream); });
  });
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

bool SessionServer::shares_picture(const Viewer& viewer) const {
  const auto media = host_.media();
  return std::any_of(media.begin(), media.end(), [&](const auto& fanout) {
    const auto info = fanout->info();
    const auto watches = [&](const auto& other) { return other.get() != &viewer && other->watches(*fanout); };
    return info && info->video && viewer.uses(*fanout) && std::any_of(viewers_.begin(), viewers_.end(), watches);
  });
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

void SessionServer::desktop_ready() {
  post([this] { announce_session(true); });
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
  if (next_ice_servers_ && next_ice_servers_->ready())
    ice_servers_ = std::move(next_ice_servers_);
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

}  // namespace vitrine
