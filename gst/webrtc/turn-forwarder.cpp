// SPDX-License-Identifier: LGPL-2.1-or-later
// Datagrams in and out of streams.
#include "webrtc/turn-forwarder.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>

#include <array>

#include "webrtc/debug.h"
#include "webrtc/turn/turn-framing.h"

namespace vitrine {
namespace {

/// Our address on the way to `host`, or to everywhere if that is a name. libnice ties each of its sockets to an interface: only an address of
/// that interface can be reached through it, loopback cannot.
std::string local_address_towards(const std::string& host) {
  for (const char* target : {host.c_str(), "192.0.2.1", "2001:db8::1"}) {
    auto address = Ref<GSocketAddress>::adopt(g_inet_socket_address_new_from_string(target, 9));
    if (!address)
      continue;
    auto socket = Ref<GSocket>::adopt(g_socket_new(g_socket_address_get_family(address.get()), G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, nullptr));
    // Sends nothing, only chooses a route.
    if (!socket || !g_socket_connect(socket.get(), address.get(), nullptr, nullptr))
      continue;
    auto local = Ref<GSocketAddress>::adopt(g_socket_get_local_address(socket.get(), nullptr));
    GInetAddress* ip = local ? g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(local.get())) : nullptr;
    if (!ip || g_inet_address_get_is_loopback(ip) || g_inet_address_get_is_any(ip))
      continue;
    GCharPtr text(g_inet_address_to_string(ip));
    return text.get();
  }
  return "";
}

/// Runs on the thread that iterates the context, never here: g_main_context_invoke() would if that has not begun yet.
void post(GMainContext* context, GSourceFunc function, gpointer data) {
  auto source = Ref<GSource>::adopt(g_idle_source_new());
  g_source_set_priority(source.get(), G_PRIORITY_DEFAULT);
  g_source_set_callback(source.get(), function, data, nullptr);
  g_source_attach(source.get(), context);
}

std::string key_of(GSocketAddress* address) {
  GCharPtr text(g_socket_connectable_to_string(G_SOCKET_CONNECTABLE(address)));
  return text.get();
}

/// The stream to the TURN server for one local socket of libnice's. Lives on the forwarders' thread, deletes itself when it ends.
class Link {
 public:
  Link(GSocket* local, GSocketAddress* client, std::map<std::string, Link*>& all)
      : local_(Ref<GSocket>::share(local)), client_(Ref<GSocketAddress>::share(client)), all_(all), key_(key_of(client)) {
    all_[key_] = this;
  }
  ~Link() { all_.erase(key_); }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  void connect(const IceUrl& url, GTlsDatabase* database) {
    host_ = url.host;
    auto client = Ref<GSocketClient>::adopt(g_socket_client_new());
    g_socket_client_set_timeout(client.get(), TurnForwarders::kConnectSeconds);
    g_socket_client_set_tls(client.get(), url.tls);
    if (database) {
      g_object_ref(database);
      g_signal_connect_data(
          client.get(), "event",
          G_CALLBACK(+[](GSocketClient*, GSocketClientEvent event, GSocketConnectable*, GIOStream* stream, gpointer authority) {
            if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING)
              g_tls_connection_set_database(G_TLS_CONNECTION(stream), static_cast<GTlsDatabase*>(authority));
          }),
          database, [](gpointer authority, GClosure*) { g_object_unref(authority); }, GConnectFlags(0));
    }
    auto address = Ref<GSocketConnectable>::adopt(g_network_address_new(url.host.c_str(), static_cast<guint16>(url.port)));
    ++running_;
    g_socket_client_connect_async(client.get(), address.get(), cancel_.get(), on_connected, this);
  }

  void send(std::span<const uint8_t> datagram) {
    used_us_ = g_get_monotonic_time();
    const std::string frame = turn_stream_frame(datagram);
    if (waiting_.size() + frame.size() > TurnForwarders::kWaitingMax)
      return;
    waiting_ += frame;
    write();
  }
  /// Ends it; the object goes once nothing of it is under way.
  void end() {
    ending_ = true;
    g_cancellable_cancel(cancel_.get());
    if (running_ == 0)
      delete this;
  }
  int64_t used_us() const { return used_us_; }

 private:
  /// After every asynchronous step; false if the link has ended, and is gone.
  bool step(bool good) {
    --running_;
    if (good && !ending_)
      return true;
    end();
    return false;
  }
  static void on_connected(GObject* client, GAsyncResult* result, gpointer data) {
    auto* self = static_cast<Link*>(data);
    ErrorSlot error;
    self->remote_ = Ref<GSocketConnection>::adopt(g_socket_client_connect_finish(G_SOCKET_CLIENT(client), result, error.out()));
    if (!self->remote_ && !self->ending_)
      GST_WARNING("cannot reach the TURN server %s: %s", self->host_.c_str(), error.message());
    if (!self->step(static_cast<bool>(self->remote_)))
      return;
    GSocket* socket = g_socket_connection_get_socket(self->remote_.get());
    g_socket_set_timeout(socket, 0);
    g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, nullptr);
    self->read();
    self->write();
  }
  void read() {
    ++running_;
    g_input_stream_read_async(g_io_stream_get_input_stream(G_IO_STREAM(remote_.get())), received_.data(), received_.size(), G_PRIORITY_DEFAULT,
                              cancel_.get(), on_read, this);
  }
  static void on_read(GObject* stream, GAsyncResult* result, gpointer data) {
    auto* self = static_cast<Link*>(data);
    const gssize length = g_input_stream_read_finish(G_INPUT_STREAM(stream), result, nullptr);
    const bool good = length > 0 && self->reader_.take({self->received_.data(), static_cast<size_t>(length)}, [self](std::span<const uint8_t> message) {
      g_socket_send_to(self->local_.get(), self->client_.get(), reinterpret_cast<const char*>(message.data()), message.size(), nullptr, nullptr);
    });
    if (self->step(good))
      self->read();
  }
  void write() {
    if (!remote_ || !sending_.empty() || waiting_.empty() || ending_)
      return;
    sending_.swap(waiting_);
    ++running_;
    g_output_stream_write_all_async(g_io_stream_get_output_stream(G_IO_STREAM(remote_.get())), sending_.data(), sending_.size(),
                                    G_PRIORITY_DEFAULT, cancel_.get(), on_written, this);
  }
  static void on_written(GObject* stream, GAsyncResult* result, gpointer data) {
    auto* self = static_cast<Link*>(data);
    const bool good = g_output_stream_write_all_finish(G_OUTPUT_STREAM(stream), result, nullptr, nullptr);
    self->sending_.clear();
    if (self->step(good))
      self->write();
  }

  const Ref<GSocket> local_;
  const Ref<GSocketAddress> client_;
  std::map<std::string, Link*>& all_;
  const std::string key_;
  const Ref<GCancellable> cancel_ = Ref<GCancellable>::adopt(g_cancellable_new());
  Ref<GSocketConnection> remote_;
  std::string host_, waiting_, sending_;
  TurnStreamReader reader_;
  std::array<uint8_t, 16384> received_;
  int running_ = 0;  // asynchronous calls under way
  bool ending_ = false;
  int64_t used_us_ = g_get_monotonic_time();
};

}  // namespace

struct TurnForwarders::Forwarder {
  IceUrl url;
  std::string address;
  Ref<GTlsDatabase> database;
  Ref<GSocket> local;
  Ref<GInetAddress> own;
  // On the forwarders' thread:
  Ref<GSource> readable, idle_check;
  std::map<std::string, Link*> links;

  void start() {
    readable = Ref<GSource>::adopt(g_socket_create_source(local.get(), G_IO_IN, nullptr));
    const GSocketSourceFunc on_readable = [](GSocket*, GIOCondition, gpointer self) -> gboolean {
      static_cast<Forwarder*>(self)->receive();
      return G_SOURCE_CONTINUE;
    };
    g_source_set_callback(readable.get(), G_SOURCE_FUNC(on_readable), this, nullptr);
    g_source_attach(readable.get(), g_main_context_get_thread_default());
    idle_check = Ref<GSource>::adopt(g_timeout_source_new_seconds(10));
    const GSourceFunc on_timeout = [](gpointer self) -> gboolean {
      static_cast<Forwarder*>(self)->end_links(g_get_monotonic_time() - kIdleUs);
      return G_SOURCE_CONTINUE;
    };
    g_source_set_callback(idle_check.get(), on_timeout, this, nullptr);
    g_source_attach(idle_check.get(), g_main_context_get_thread_default());
  }
  void receive() {
    std::array<uint8_t, 4096> datagram;
    for (int i = 0; i < 64; ++i) {
      Ref<GSocketAddress> from;
      const gssize length = g_socket_receive_from(local.get(), from.out(), reinterpret_cast<char*>(datagram.data()), datagram.size(), nullptr, nullptr);
      if (length < 0)
        return;
      // Only this machine can have our own address as a source.
      if (!g_inet_address_equal(g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(from.get())), own.get()))
        continue;
      const auto found = links.find(key_of(from.get()));
      Link* link = found == links.end() ? nullptr : found->second;
      if (!link) {
        if (links.size() >= kConnectionsMax)
          continue;
        link = new Link(local.get(), from.get(), links);
        link->connect(url, database.get());
      }
      link->send({datagram.data(), static_cast<size_t>(length)});
    }
  }
  /// Those that were not used since then.
  void end_links(int64_t since_us) {
    const auto all = links;
    for (const auto& [key, link] : all)
      if (link->used_us() < since_us)
        link->end();
  }
  void stop() {
    for (auto* source : {&readable, &idle_check})
      if (*source)
        g_source_destroy(source->get());
    end_links(G_MAXINT64);
  }
};

TurnForwarders::TurnForwarders(std::string ca_file) : ca_file_(std::move(ca_file)) {}

TurnForwarders::~TurnForwarders() {
  MutexLock lock(mutex_);
  if (!thread_.joinable())
    return;
  post(
      context_.get(),
      [](gpointer loop) -> gboolean {
        g_main_loop_quit(static_cast<GMainLoop*>(loop));
        return G_SOURCE_REMOVE;
      },
      loop_.get());
  thread_.join();
}

void TurnForwarders::start_thread() {
  context_ = Ref<GMainContext>::adopt(g_main_context_new());
  loop_ = Ref<GMainLoop>::adopt(g_main_loop_new(context_.get(), FALSE));
  // Only the destructor, which waits for the thread, ends the loop: nobody adds forwarders any more then.
  const auto run = [this, context = context_.get(), loop = loop_.get()]() NO_THREAD_SAFETY_ANALYSIS {
    pthread_setname_np(pthread_self(), "vitrine-turn");
    g_main_context_push_thread_default(context);
    g_main_loop_run(loop);
    for (auto& [server, forwarder] : forwarders_)
      forwarder->stop();
    for (auto& [server, forwarder] : forwarders_)
      while (!forwarder->links.empty())
        g_main_context_iteration(context, TRUE);
    g_main_context_pop_thread_default(context);
  };
  thread_ = std::thread(run);
}

std::string TurnForwarders::address_for(const IceUrl& url) {
  MutexLock lock(mutex_);
  const std::string own = local_address_towards(url.host);
  const std::string key = own + " " + to_string(url);
  if (const auto found = forwarders_.find(key); found != forwarders_.end())
    return found->second->address;
  auto made = std::make_unique<Forwarder>();
  made->url = url;
  ErrorSlot error;
  if (!ca_file_.empty())
    made->database = Ref<GTlsDatabase>::adopt(g_tls_file_database_new(ca_file_.c_str(), error.out()));
  made->own = Ref<GInetAddress>::adopt(g_inet_address_new_from_string(own.c_str()));
  if (!made->own) {
    GST_WARNING("cannot forward to the TURN server %s: this machine has no address but loopback", to_string(url).c_str());
    return "";
  }
  const GSocketFamily family = g_inet_address_get_family(made->own.get());
  auto any_port = Ref<GSocketAddress>::adopt(g_inet_socket_address_new(made->own.get(), 0));
  if (!error)
    made->local = Ref<GSocket>::adopt(g_socket_new(family, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, error.out()));
  if (error || !g_socket_bind(made->local.get(), any_port.get(), FALSE, error.out())) {
    GST_WARNING("cannot forward to the TURN server %s: %s", to_string(url).c_str(), error.message());
    return "";
  }
  g_socket_set_blocking(made->local.get(), FALSE);
  auto bound = Ref<GSocketAddress>::adopt(g_socket_get_local_address(made->local.get(), nullptr));
  made->address = (family == G_SOCKET_FAMILY_IPV6 ? "[" + own + "]:" : own + ":") + std::to_string(g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound.get())));
  if (!thread_.joinable())
    start_thread();
  post(
      context_.get(),
      [](gpointer data) -> gboolean {
        static_cast<Forwarder*>(data)->start();
        return G_SOURCE_REMOVE;
      },
      made.get());
  return (forwarders_[key] = std::move(made))->address;
}

}  // namespace vitrine
