// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernel spaces the packets out: what it holds already goes by the new rate too, and nothing comes in bursts.
#include "webrtc/files/download-pace.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace vitrine {
namespace {

constexpr unsigned kUnlimited = ~0u;

void limit(GSocket* socket, unsigned bytes_per_second) {
  setsockopt(g_socket_get_fd(socket), SOL_SOCKET, SO_MAX_PACING_RATE, &bytes_per_second, sizeof bytes_per_second);
}

/// Bytes that the other end has acknowledged since the connection began.
uint64_t acknowledged(GSocket* socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  return getsockopt(g_socket_get_fd(socket), IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_bytes_acked : 0;
}

/// How much of the newest look counts.
constexpr double kNewest = 0.3;

}  // namespace

std::shared_ptr<void> DownloadPace::enter(GSocket* socket, const std::string& address) {
  if (!socket)
    return nullptr;
  const auto fetch = fetches_->insert(fetches_->end(), {Ref<GSocket>::share(socket), address, kUnlimited, acknowledged(socket), 0});
  apply();
  // What else goes by this connection goes as fast as it can.
  return {nullptr, [fetches = fetches_, fetch](void*) {
            limit(fetch->socket.get(), kUnlimited);
            fetches->erase(fetch);
          }};
}

void DownloadPace::tick(int64_t now_us, const std::vector<PathFacts>& paths) {
  measure(now_us);
  std::map<std::string, PathFacts> worst;
  for (const PathFacts& path : paths) {
    PathFacts& known = worst[path.address];
    known.queue_us = std::max(known.queue_us, path.queue_us);
    known.feedback += path.feedback;
  }
  std::erase_if(rates_, [&](const auto& entry) { return !worst.contains(entry.first); });
  for (const auto& [address, facts] : worst) {
    double arriving = 0;
    for (const Fetch& fetch : *fetches_)
      arriving += fetch.address == address ? fetch.arriving : 0;
    rates_[address].tick(now_us, facts.queue_us, facts.feedback, arriving);
  }
  apply();
}

void DownloadPace::measure(int64_t now_us) {
  const double seconds = static_cast<double>(now_us - std::exchange(measured_us_, now_us)) / 1e6;
  for (Fetch& fetch : *fetches_) {
    const uint64_t acked = acknowledged(fetch.socket.get());
    fetch.arriving += kNewest * (static_cast<double>(acked - std::exchange(fetch.acked, acked)) / seconds - fetch.arriving);
  }
}

void DownloadPace::apply() {
  for (Fetch& fetch : *fetches_) {
    const auto rate = rates_.find(fetch.address);
    const auto sharing = std::count_if(fetches_->begin(), fetches_->end(), [&](const Fetch& other) { return other.address == fetch.address; });
    const unsigned wanted = rate == rates_.end() || rate->second.bytes_per_second() >= DownloadRate::kMost
                                ? kUnlimited
                                : static_cast<unsigned>(rate->second.bytes_per_second() / static_cast<double>(sharing));
    if (wanted == fetch.rate)
      continue;
    fetch.rate = wanted;
    limit(fetch.socket.get(), wanted);
  }
}

}  // namespace vitrine
