// SPDX-License-Identifier: LGPL-2.1-or-later
// The emulated link in real time, for real packets: forwards UDP between browsers and a server.
// usage: link-forwarder LISTEN-PORT SERVER-PORT [streams], on 127.0.0.1. Reads lines "rate=BPS delay=MS jitter=MS loss=0..1 queue=BYTES" from stdin and applies
// them to the way from the server to the browser (the way back has the delay only); "tcp=1" starts a simulated greedy TCP flow (Reno) beside it, "tcp=0"
// ends it; "trace=FILE" writes a line there for each packet on the way to the browser (write_trace()). With a third word "streams" real TCP connections to LISTEN-PORT share the way too: each as Reno would send it, the way back is free.
// Packets enter the link when the kernel got them, however late we read them. Prints "t=SECONDS queue=MOST-MS-SINCE sent=BYTES tcp=BYTES lost=N late=MS"
// every 50 ms, as the simulation's points are; "late" is how long after the link's clock the latest of the packets left us since: what this machine adds to the link.
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "link.h"
#include "link-streams.h"
#include "reno.h"

namespace {

using namespace vitrine::bench;

int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

sockaddr_in local(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int bound_socket(int port) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const sockaddr_in address = local(port);
  const int size = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    perror("link-forwarder: bind");
    exit(1);
  }
  return fd;
}

/// What recvmsg() tells of when the kernel got it, by now_us()'s clock; `now` where it does not.
int64_t came_us(msghdr& message, int64_t now) {
  for (const cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, const_cast<cmsghdr*>(part)))
    if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_TIMESTAMPNS) {
      timespec stamp{}, real{};
      memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
      clock_gettime(CLOCK_REALTIME, &real);
      const int64_t ago_us = (real.tv_sec - stamp.tv_sec) * 1'000'000 + (real.tv_nsec - stamp.tv_nsec) / 1000;
      return std::min(now, now_us() - std::max<int64_t>(0, ago_us));
    }
  return now;
}

struct Client {
  sockaddr_in address;
  int fd;  // towards the server
};

struct Held {
  size_t client;
  std::vector<char> bytes;
  bool tcp = false;
  int64_t entered_us = 0;
  Streams::Segment segment{};
};

class Forwarder {
 public:
  Forwarder(int listen_port, int server_port, bool streams) : listen_(bound_socket(listen_port)), server_(local(server_port)), forth_({}), back_({}) {
    if (streams)
      streams_.listen(listen_port, server_port);
    fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
  }

  void run() {
    const int64_t begin_us = now_us();
    int64_t next_print_us = begin_us;
    for (;;) {
      std::vector<pollfd> fds = {{listen_, POLLIN, 0}, {0, static_cast<short>(input_open_ ? POLLIN : 0), 0}};
      for (const auto& client : clients_)
        fds.push_back({client.fd, POLLIN, 0});
      streams_.watch(fds);
      // Half a millisecond: the link's own clock decides when what leaves.
      timespec wait{0, 500'000};
      ppoll(fds.data(), fds.size(), &wait, nullptr);
      const int64_t now = now_us();
      if (fds[1].revents && !read_commands(now))
        return;
      receive(now);
      deliver(now);
      if (now >= next_print_us) {
        next_print_us += 50'000;
        queue_peak_us_ = std::max(queue_peak_us_, forth_.queue_us(now));
        printf("t=%.2f queue=%.1f sent=%llu tcp=%llu lost=%llu late=%.1f\n", static_cast<double>(now - begin_us) / 1e6,
               static_cast<double>(std::exchange(queue_peak_us_, 0)) / 1e3, static_cast<unsigned long long>(media_bytes_),
               static_cast<unsigned long long>(tcp_bytes_),
               static_cast<unsigned long long>(forth_.statistics().lost + forth_.statistics().overflowed),
               static_cast<double>(std::exchange(late_us_, 0)) / 1e3);
        fflush(stdout);
      }
    }
  }

 private:
  bool read_commands(int64_t now) {
    char buffer[1024];
    const ssize_t size = read(0, buffer, sizeof buffer);
    if (size == 0)
      return false;  // whoever started us has gone
    if (size < 0)
      return true;
    std::istringstream words(std::string(buffer, static_cast<size_t>(size)));
    LinkSettings forth = forth_.settings(), back = back_.settings();
    for (std::string word; words >> word;) {
      const size_t equals = word.find('=');
      if (equals == std::string::npos)
        continue;
      const std::string key = word.substr(0, equals);
      if (key == "trace") {
        trace_.reset(fopen(word.c_str() + equals + 1, "w"));
        continue;
      }
      const double value = atof(word.c_str() + equals + 1);
      if (key == "rate")
        forth.rate_bps = value;
      else if (key == "delay")
        forth.delay_us = back.delay_us = static_cast<int64_t>(value * 1000);
      else if (key == "jitter")
        forth.jitter_us = static_cast<int64_t>(value * 1000);
      else if (key == "loss")
        forth.loss = value;
      else if (key == "queue")
        forth.queue_bytes = static_cast<size_t>(value);
      else if (key == "tcp")
        tcp_on_ = value != 0;
      else
        fprintf(stderr, "link-forwarder: unknown setting '%s'\n", key.c_str());
    }
    forth_.change(now, forth);
    back_.change(now, back);
    return true;
  }

  void receive(int64_t now) {
    char buffer[65536];
    sockaddr_in from{};
    socklen_t length = sizeof from;
    for (ssize_t size; (size = recvfrom(listen_, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &length)) >= 0;)
      push(back_, held_back_, client_of(from), buffer, static_cast<size_t>(size), now);
    for (size_t i = 0; i < clients_.size(); ++i)
      for (ssize_t size; (size = receive_stamped(clients_[i].fd, buffer, sizeof buffer, now)) >= 0;) {
        const bool taken = push(forth_, held_forth_, i, buffer, static_cast<size_t>(size), stamp_us_);
        queue_peak_us_ = std::max(queue_peak_us_, forth_.queue_us(stamp_us_));
        if (trace_)
          write_trace({reinterpret_cast<const uint8_t*>(buffer), static_cast<size_t>(size)}, taken, now);
      }
    streams_.take(now, [&](const Streams::Segment& segment, size_t size) {
      const uint64_t id = next_++;
      held_forth_[id] = {0, {}, false, now, segment};
      if (forth_.push(now, id, size + 52))
        return true;
      held_forth_.erase(id);
      return false;
    }, 2 * forth_.settings().delay_us + forth_.queue_us(now));
    while (tcp_on_ && tcp_.may_send()) {
      tcp_.sent();
      const uint64_t id = next_++;
      held_forth_[id] = {0, {}, true, now};
      if (!forth_.push(now, id, 1500)) {
        held_forth_.erase(id);
        tcp_events_.emplace(now + 2 * forth_.settings().delay_us + forth_.queue_us(now), -1);
      }
    }
  }

  ssize_t receive_stamped(int fd, char* buffer, size_t room, int64_t now) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(timespec))];
    iovec bytes{buffer, room};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t size = recvmsg(fd, &message, 0);
    if (size >= 0)
      stamp_us_ = std::max(stamp_us_, came_us(message, now));
    return size;
  }

  /// "MICROSECOND READ-LATE BYTES KIND SSRC SEQUENCE TIMESTAMP MARKER QUEUE-US TAKEN": KIND is r(tp), c (RTCP), s(TUN) or o(ther); the queue is the one
  /// behind the packet, itself included.
  void write_trace(std::span<const uint8_t> packet, bool taken, int64_t now) {
    const auto read = [&](size_t at, int bytes) {
      uint32_t value = 0;
      for (int i = 0; i < bytes; ++i)
        value = value << 8 | packet[at + static_cast<size_t>(i)];
      return value;
    };
    const bool rtp_like = packet.size() >= 12 && packet[0] >> 6 == 2, rtcp = rtp_like && (packet[1] & 0x7f) >= 64 && (packet[1] & 0x7f) <= 95;
    const char kind = rtcp ? 'c' : rtp_like ? 'r' : !packet.empty() && packet[0] < 4 ? 's' : 'o';
    fprintf(trace_.get(), "%lld %lld %zu %c %u %u %u %d %lld %d\n", static_cast<long long>(stamp_us_), static_cast<long long>(now - stamp_us_),
            packet.size(), kind, kind == 'r' ? read(8, 4) : 0, kind == 'r' ? read(2, 2) : 0, kind == 'r' ? read(4, 4) : 0,
            kind == 'r' && (packet[1] & 0x80), static_cast<long long>(forth_.queue_us(stamp_us_)), taken);
  }

  bool push(Link& link, std::map<uint64_t, Held>& held, size_t client, const char* bytes, size_t size, int64_t now) {
    const uint64_t id = next_++;
    const bool taken = link.push(now, id, size + 28);
    if (taken)
      held[id] = {client, {bytes, bytes + size}, false, now};
    return taken;
  }

  size_t client_of(const sockaddr_in& from) {
    for (size_t i = 0; i < clients_.size(); ++i)
      if (clients_[i].address.sin_port == from.sin_port)
        return i;
    const int fd = bound_socket(0);
    connect(fd, reinterpret_cast<const sockaddr*>(&server_), sizeof server_);
    clients_.push_back({from, fd});
    return clients_.size() - 1;
  }

  void deliver(int64_t now) {
    forth_.pop(now, [&](uint64_t id, int64_t at_us) {
      const auto found = held_forth_.find(id);
      if (found == held_forth_.end())
        return;
      late_us_ = std::max(late_us_, now - at_us);
      if (found->second.segment.connection) {
        streams_.arrived(found->second.segment, at_us, forth_.settings().delay_us);
      } else if (found->second.tcp) {
        tcp_bytes_ += 1500;
        const int64_t back_us = at_us + forth_.settings().delay_us;
        tcp_events_.emplace(back_us, back_us - found->second.entered_us);
      } else {
        const Client& client = clients_[found->second.client];
        media_bytes_ += found->second.bytes.size() + 28;
        sendto(listen_, found->second.bytes.data(), found->second.bytes.size(), 0, reinterpret_cast<const sockaddr*>(&client.address),
               sizeof client.address);
      }
      held_forth_.erase(found);
    });
    back_.pop(now, [&](uint64_t id, int64_t) {
      const auto found = held_back_.find(id);
      if (found == held_back_.end())
        return;
      send(clients_[found->second.client].fd, found->second.bytes.data(), found->second.bytes.size(), 0);
      held_back_.erase(found);
    });
    while (!tcp_events_.empty() && tcp_events_.begin()->first <= now) {
      const int64_t rtt_us = tcp_events_.begin()->second;
      tcp_events_.erase(tcp_events_.begin());
      if (rtt_us < 0)
        tcp_.lost(now);
      else
        tcp_.acked(rtt_us);
    }
  }

  const int listen_;
  const sockaddr_in server_;
  Streams streams_;
  Link forth_, back_;
  std::vector<Client> clients_;
  std::map<uint64_t, Held> held_forth_, held_back_;
  std::multimap<int64_t, int64_t> tcp_events_;
  RenoFlow tcp_{20'000};
  bool tcp_on_ = false, input_open_ = true;
  int64_t queue_peak_us_ = 0, late_us_ = 0, stamp_us_ = 0;
  struct Close {
    void operator()(FILE* file) const { fclose(file); }
  };
  std::unique_ptr<FILE, Close> trace_;
  uint64_t next_ = 1, media_bytes_ = 0, tcp_bytes_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && !(argc == 4 && strcmp(argv[3], "streams") == 0)) {
    fprintf(stderr, "usage: link-forwarder LISTEN-PORT SERVER-PORT [streams]\n");
    return 2;
  }
  Forwarder(atoi(argv[1]), atoi(argv[2]), argc == 4).run();
  return 0;
}
