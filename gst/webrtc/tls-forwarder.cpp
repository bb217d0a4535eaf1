// SPDX-License-Identifier: LGPL-2.1-or-later
// Accept, connect by TLS, pump both ways.
#include "webrtc/tls-forwarder.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>

#include <array>
#include <set>

#include "webrtc/debug.h"

namespace vitrine {
namespace {

/// Copies one direction of a connection. Deletes nothing; the Link lives until both directions have ended.
struct Pump {
  GInputStream* from = nullptr;
  GOutputStream* to = nullptr;
  std::array<char, 16384> buffer;
};

/// One forwarded connection. Lives on the forwarder's thread, deletes itself.
class Link {
 public:
  Link(GIOStream* local, std::set<Link*>& all)
      : local_(Ref<GIOStream>::share(local)), cancel_(Ref<GCancellable>::adopt(g_cancellable_new())), all_(all) {
    all_.insert(this);
  }
  ~Link() { all_.erase(this); }
  void cancel() { g_cancellable_cancel(cancel_.get()); }

  void connect(const std::string& host, int port, GTlsDatabase* database) {
    host_ = host;
    auto client = Ref<GSocketClient>::adopt(g_socket_client_new());
    g_socket_client_set_timeout(client.get(), TlsForwarders::kConnectSeconds);
    g_socket_client_set_tls(client.get(), TRUE);
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
    auto address = Ref<GSocketConnectable>::adopt(g_network_address_new(host.c_str(), static_cast<guint16>(port)));
    g_socket_client_connect_async(client.get(), address.get(), cancel_.get(), on_connected, this);
  }

 private:
  static void on_connected(GObject* client, GAsyncResult* result, gpointer data) {
    auto* self = static_cast<Link*>(data);
    ErrorSlot error;
    self->remote_ = Ref<GSocketConnection>::adopt(g_socket_client_connect_finish(G_SOCKET_CLIENT(client), result, error.out()));
    if (!self->remote_) {
      GST_WARNING("cannot reach the TURN server %s by TLS: %s", self->host_.c_str(), error.message());
      delete self;
      return;
    }
    for (GIOStream* stream : {self->local_.get(), G_IO_STREAM(self->remote_.get())}) {
      if (!G_IS_SOCKET_CONNECTION(stream))
        continue;
      GSocket* socket = g_socket_connection_get_socket(G_SOCKET_CONNECTION(stream));
      g_socket_set_timeout(socket, 0);
      g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, nullptr);
    }
    GIOStream* remote = G_IO_STREAM(self->remote_.get());
    self->pumps_[0].from = g_io_stream_get_input_stream(self->local_.get());
    self->pumps_[0].to = g_io_stream_get_output_stream(remote);
    self->pumps_[1].from = g_io_stream_get_input_stream(remote);
    self->pumps_[1].to = g_io_stream_get_output_stream(self->local_.get());
    self->running_ = 2;
    self->read(0);
    self->read(1);
  }

  struct Step {
    Link* link;
    int index;
  };
  void read(int index) {
    Pump& pump = pumps_[index];
    g_input_stream_read_async(pump.from, pump.buffer.data(), pump.buffer.size(), G_PRIORITY_DEFAULT, cancel_.get(), on_read,
                              new Step{this, index});
  }
  static void on_read(GObject* stream, GAsyncResult* result, gpointer data) {
    const std::unique_ptr<Step> step(static_cast<Step*>(data));
    const gssize length = g_input_stream_read_finish(G_INPUT_STREAM(stream), result, nullptr);
    if (length <= 0) {
      step->link->ended();
      return;
    }
    Pump& pump = step->link->pumps_[step->index];
    g_output_stream_write_all_async(pump.to, pump.buffer.data(), static_cast<gsize>(length), G_PRIORITY_DEFAULT, step->link->cancel_.get(),
                                    on_written, new Step(*step));
  }
  static void on_written(GObject* stream, GAsyncResult* result, gpointer data) {
    const std::unique_ptr<Step> step(static_cast<Step*>(data));
    if (g_output_stream_write_all_finish(G_OUTPUT_STREAM(stream), result, nullptr, nullptr))
      step->link->read(step->index);
    else
      step->link->ended();
  }
  /// One direction has ended: the other one has to, too.
  void ended() {
    g_cancellable_cancel(cancel_.get());
    if (--running_ == 0)
      delete this;
  }

  Ref<GIOStream> local_;
  Ref<GSocketConnection> remote_;
  const Ref<GCancellable> cancel_;
  std::string host_;
  std::array<Pump, 2> pumps_;
  int running_ = 0;
  std::set<Link*>& all_;
};

/// Runs on the thread that iterates the context, never here: g_main_context_invoke() would if that has not begun yet.
void post(GMainContext* context, GSourceFunc function, gpointer data) {
  auto source = Ref<GSource>::adopt(g_idle_source_new());
  g_source_set_priority(source.get(), G_PRIORITY_DEFAULT);
  g_source_set_callback(source.get(), function, data, nullptr);
  g_source_attach(source.get(), context);
}

}  // namespace

struct TlsForwarders::Forwarder {
  std::string host;
  int port = 0, local_port = 0;
  Ref<GTlsDatabase> database;
  Ref<GSocketListener> listener;
  Ref<GCancellable> cancel = Ref<GCancellable>::adopt(g_cancellable_new());
  // On the forwarders' thread:
  bool accepting = false;
  std::set<Link*> links;

  void accept() {
    accepting = true;
    g_socket_listener_accept_async(listener.get(), cancel.get(), on_accepted, this);
  }
  static void on_accepted(GObject* listener, GAsyncResult* result, gpointer data) {
    auto* self = static_cast<Forwarder*>(data);
    self->accepting = false;
    auto connection = Ref<GSocketConnection>::adopt(g_socket_listener_accept_finish(G_SOCKET_LISTENER(listener), result, nullptr, nullptr));
    if (g_cancellable_is_cancelled(self->cancel.get()))
      return;
    if (connection && self->links.size() < kConnectionsMax)
      (new Link(G_IO_STREAM(connection.get()), self->links))->connect(self->host, self->port, self->database.get());
    self->accept();
  }
  void stop() {
    g_cancellable_cancel(cancel.get());
    for (Link* link : links)
      link->cancel();
  }
  bool idle() const { return !accepting && links.empty(); }
};

TlsForwarders::TlsForwarders(std::string ca_file) : ca_file_(std::move(ca_file)) {}

TlsForwarders::~TlsForwarders() {
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

void TlsForwarders::start_thread() {
  context_ = Ref<GMainContext>::adopt(g_main_context_new());
  loop_ = Ref<GMainLoop>::adopt(g_main_loop_new(context_.get(), FALSE));
  // Only the destructor, which waits for the thread, ends the loop: nobody adds forwarders any more then.
  const auto run = [this, context = context_.get(), loop = loop_.get()]() NO_THREAD_SAFETY_ANALYSIS {
    pthread_setname_np(pthread_self(), "vitrine-turns");
    g_main_context_push_thread_default(context);
    g_main_loop_run(loop);
    for (auto& [server, forwarder] : forwarders_)
      forwarder->stop();
    for (auto& [server, forwarder] : forwarders_)
      while (!forwarder->idle())
        g_main_context_iteration(context, TRUE);
    g_main_context_pop_thread_default(context);
  };
  thread_ = std::thread(run);
}

int TlsForwarders::port_for(const std::string& host, int port) {
  MutexLock lock(mutex_);
  auto& forwarder = forwarders_[{host, port}];
  if (forwarder)
    return forwarder->local_port;
  if (!thread_.joinable())
    start_thread();
  auto made = std::make_unique<Forwarder>();
  made->host = host;
  made->port = port;
  ErrorSlot error;
  if (!ca_file_.empty())
    made->database = Ref<GTlsDatabase>::adopt(g_tls_file_database_new(ca_file_.c_str(), error.out()));
  made->listener = Ref<GSocketListener>::adopt(g_socket_listener_new());
  auto loopback = Ref<GInetAddress>::adopt(g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4));
  auto any_port = Ref<GSocketAddress>::adopt(g_inet_socket_address_new(loopback.get(), 0));
  Ref<GSocketAddress> bound;
  if (error || !g_socket_listener_add_address(made->listener.get(), any_port.get(), G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, nullptr,
                                              bound.out(), error.out())) {
    GST_WARNING("cannot forward to the TURN server %s: %s", host.c_str(), error.message());
    forwarders_.erase({host, port});
    return 0;
  }
  made->local_port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound.get()));
  post(
      context_.get(),
      [](gpointer data) -> gboolean {
        static_cast<Forwarder*>(data)->accept();
        return G_SOURCE_REMOVE;
      },
      made.get());
  forwarder = std::move(made);
  return forwarder->local_port;
}

}  // namespace vitrine
