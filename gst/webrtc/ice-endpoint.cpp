// SPDX-License-Identifier: LGPL-2.1-or-later
// Path selection and sending of one viewer.
#include "webrtc/ice-endpoint.h"

#include <glib.h>

#include "webrtc/ice-io.h"

namespace vitrine {
namespace {
// A UDP path that was alive this recently is not left for TCP.
constexpr int64_t kUdpAliveUs = 5'000'000;
}  // namespace

const char* to_string(IcePath path) {
  switch (path) {
    case IcePath::udp:
      return "udp";
    case IcePath::tcp:
      return "tcp";
    case IcePath::relay:
      return "relay";
    case IcePath::none:
      break;
  }
  return "none";
}

IceEndpoint::IceEndpoint(IceIo& io, Callbacks callbacks)
    : io_(io), callbacks_(std::move(callbacks)), echo_asker_(uint64_t{g_random_int()} << 32 | g_random_int()) {}

void IceEndpoint::open(const std::string& ufrag, const std::string& password) {
  {
    MutexLock lock(mutex_);
    ufrag_ = ufrag;
    password_ = password;
  }
  io_.register_endpoint(ufrag, shared_from_this());
}

void IceEndpoint::set_remote(const std::string& ufrag, const std::string& password) {
  MutexLock lock(mutex_);
  remote_ufrag_ = ufrag;
  remote_password_ = password;
}

void IceEndpoint::watch_echoes(EchoWatch watch) {
  MutexLock lock(mutex_);
  echo_watch_ = std::make_shared<const EchoWatch>(std::move(watch));
}

void IceEndpoint::close() {
  io_.unregister_endpoint(this);
  {
    MutexLock lock(callback_mutex_);
    closed_ = true;
  }
  MutexLock lock(mutex_);
  selected_ = IceRemote{};
  path_ = IcePath::none;
}

void IceEndpoint::send(std::span<const uint8_t> packet) {
  IceRemote remote;
  {
    MutexLock lock(mutex_);
    if (path_ == IcePath::none) {
      ++statistics_.packets_dropped;
      return;
    }
    remote = selected_;
  }
  const bool sent = io_.send(remote, packet);
  int questions = 0;
  {
    MutexLock lock(mutex_);
    if (sent) {
      ++statistics_.packets_sent;
      statistics_.bytes_sent += packet.size();
      questions = remote.connection ? 0 : echo_asker_.left(packet);
    } else {
      ++statistics_.packets_dropped;
    }
  }
  for (; questions > 0; --questions)
    ask(remote);
}

void IceEndpoint::ask(const IceRemote& remote) {
  std::vector<uint8_t> request;
  std::shared_ptr<const EchoWatch> watch;
  uint64_t id = 0;
  uint32_t bytes = 0;
  {
    MutexLock lock(mutex_);
    if (!echo_watch_ || remote_password_.empty())
      return;
    watch = echo_watch_;
    id = echo_asker_.next_id();
    bytes = echo_asker_.frame_bytes();
    request = binding_request(echo_asker_.transaction(id), remote_ufrag_ + ":" + ufrag_, echo_asker_.tie_breaker(), remote_password_);
  }
  watch->asked(id, bytes, g_get_monotonic_time());
  io_.send(remote, request);
}

void IceEndpoint::on_binding_response(std::span<const uint8_t> packet, const StunResponse& response, const IceRemote& remote,
                                      int64_t now_us) {
  std::shared_ptr<const EchoWatch> watch;
  std::optional<uint64_t> id;
  {
    MutexLock lock(mutex_);
    id = echo_asker_.answers(response.transaction);
    if (!id || !echo_watch_ || !check_integrity(packet, response.integrity_offset, remote_password_))
      return;
    echo_asker_.answered(*id);
    watch = echo_watch_;
    if (is_selected(remote))
      selected_received_us_ = now_us;
  }
  last_received_us_ = now_us;
  watch->answered(*id, now_us);
}

bool IceEndpoint::is_selected(const IceRemote& remote) const {
  return path_ != IcePath::none && selected_.address == remote.address && selected_.connection == remote.connection;
}

size_t IceEndpoint::backlog() const {
  MutexLock lock(mutex_);
  return selected_.connection ? selected_.connection->queued() : 0;
}

IceStatistics IceEndpoint::statistics() const {
  MutexLock lock(mutex_);
  IceStatistics result = statistics_;
  result.path = path_;
  if (result.path != IcePath::none)
    result.remote = selected_.address.text();
  return result;
}

bool IceEndpoint::on_binding_request(std::span<const uint8_t> packet, const StunRequest& request,
                                     const IceRemote& remote, int64_t now_us) {
  std::string password;
  {
    MutexLock lock(mutex_);
    if (!requests_.take(now_us) || !check_integrity(packet, request.integrity_offset, password_) ||
        (!remote_ufrag_.empty() && request.remote_ufrag() != remote_ufrag_)) {
      ++statistics_.refused_requests;
      return false;
    }
    password = password_;
    const bool keep_udp = path_ == IcePath::udp && remote.connection && now_us - selected_received_us_ < kUdpAliveUs;
    // Browsers nominate aggressively towards a lite agent, several pairs in turn: the last one counts, but UDP is kept while it lives.
    if (!is_selected(remote) && !keep_udp && (request.use_candidate || path_ == IcePath::none)) {
      selected_ = remote;
      path_ = remote.connection ? IcePath::tcp : IcePath::udp;
    }
    if (is_selected(remote))
      selected_received_us_ = now_us;
  }
  last_received_us_ = now_us;
  io_.send(remote, binding_response(request, remote.address, password));
  if (request.use_candidate) {
    MutexLock lock(callback_mutex_);
    if (!closed_ && !connected_) {
      connected_ = true;
      callbacks_.connected();
    }
  }
  return true;
}

void IceEndpoint::on_packet(std::span<const uint8_t> packet, const IceRemote& remote, int64_t now_us) {
  last_received_us_ = now_us;
  {
    MutexLock lock(mutex_);
    if (is_selected(remote))
      selected_received_us_ = now_us;
    ++statistics_.packets_received;
  }
  MutexLock lock(callback_mutex_);
  if (!closed_)
    callbacks_.packet(packet);
}

void IceEndpoint::on_tcp_closed(const IceTcpConnection* connection) {
  MutexLock lock(mutex_);
  if (selected_.connection.get() == connection) {
    selected_ = IceRemote{};
    path_ = IcePath::none;
  }
}

}  // namespace vitrine
