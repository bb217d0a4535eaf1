// SPDX-License-Identifier: LGPL-2.1-or-later
// The folder, the sockets, and what goes through them.
#include "remote/gamepad/pad-sockets.h"

#include <fcntl.h>
#include <linux/joystick.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace vitrine {

using namespace pad_abi;

namespace {

/// Tags of epoll below this are listening sockets: 2 × pad, + 1 for the joystick's. Clients' are their id plus this.
constexpr uint64_t kFirstClient = 2 * kPadsMost;
constexpr int kSendBuffer = 64 * 1024;

std::string name_of(bool joystick, uint8_t pad) { return (joystick ? kJoystickPrefix : kEventPrefix) + std::to_string(pad); }

void set_bit(uint8_t* bits, unsigned index) { bits[index / 8] = static_cast<uint8_t>(bits[index / 8] | 1 << index % 8); }

template <typename T>
void append(std::vector<uint8_t>& out, const T& value) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
  out.insert(out.end(), bytes, bytes + sizeof value);
}

bool make_file(const std::string& path) { return static_cast<bool>(UniqueFd(open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600))); }

std::string failure(const std::string& path, int why) { return path + ": " + strerror(why); }

}  // namespace

void remove_pad_folder(const std::string& folder) {
  for (uint8_t pad = 0; pad < kPadsMost; ++pad) {
    for (const bool joystick : {false, true})
      for (const char* part : {kInputFolder, kSocketFolder})
        unlink((folder + part + "/" + name_of(joystick, pad)).c_str());
    unlink((folder + kPageFolder + "/" + std::to_string(pad)).c_str());
  }
  for (const char* part : {kInputFolder, kSocketFolder, kPageFolder, ""})
    rmdir((folder + part).c_str());
}

std::unique_ptr<PadSockets> PadSockets::open(const std::string& folder, std::string& error) {
  std::unique_ptr<PadSockets> made(new PadSockets(folder));
  if (folder.empty() || folder[0] != '/' || made->path(kSocketFolder, "event0").size() >= sizeof(sockaddr_un::sun_path)) {
    error = folder + ": not an absolute path, or too long for sockets in it";
    return nullptr;
  }
  remove_pad_folder(folder);
  for (const char* part : {"", kInputFolder, kSocketFolder, kPageFolder})
    if (mkdir(made->path(part).c_str(), 0700) != 0) {
      error = failure(made->path(part), errno);
      return nullptr;
    }
  made->epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!made->epoll_) {
    error = failure("epoll", errno);
    return nullptr;
  }
  return made;
}

PadSockets::~PadSockets() {
  for (uint8_t pad = 0; pad < kPadsMost; ++pad)
    unplug(pad);
  if (epoll_)
    remove_pad_folder(folder_);
}

UniqueFd PadSockets::listen_on(const std::string& name, uint64_t tag, std::string& error) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string where = path(kSocketFolder, name);
  where.copy(address.sun_path, sizeof address.sun_path - 1);
  unlink(where.c_str());
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.u64 = tag;
  if (!socket || bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(socket.get(), 64) != 0 ||
      epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.get(), &wanted) != 0) {
    error = failure(where, errno);
    return {};
  }
  return socket;
}

bool PadSockets::plug(uint8_t pad, const PadShape& shape, std::string& error) {
  Device& device = devices_[pad];
  device.shape = shape;
  device.values = rest_of(shape);
  const std::string page = path(kPageFolder, std::to_string(pad));
  device.page_file.reset(::open(page.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!device.page_file || !write_page(device)) {
    error = failure(page, errno);
    unplug(pad);
    return false;
  }
  device.event_socket = listen_on(name_of(false, pad), 2u * pad, error);
  if (device.event_socket)
    device.joystick_socket = listen_on(name_of(true, pad), 2u * pad + 1, error);
  // Last of all: programs that watch the folder open the device at once.
  if (!device.joystick_socket || !make_file(path(kInputFolder, name_of(true, pad))) || !make_file(path(kInputFolder, name_of(false, pad)))) {
    if (error.empty())
      error = failure(path(kInputFolder), errno);
    unplug(pad);
    return false;
  }
  return true;
}

void PadSockets::unplug(uint8_t pad) {
  Device& device = devices_[pad];
  for (const bool joystick : {false, true})
    unlink(path(kInputFolder, name_of(joystick, pad)).c_str());
  for (const bool joystick : {false, true})
    unlink(path(kSocketFolder, name_of(joystick, pad)).c_str());
  unlink(path(kPageFolder, std::to_string(pad)).c_str());
  std::erase_if(clients_, [pad](const auto& entry) { return entry.second.pad == pad; });
  device = {};
}

bool PadSockets::write_page(Device& device) {
  PadPage& page = device.page;
  const auto write = [&](const void* from, size_t size, size_t at) {
    return pwrite(device.page_file.get(), from, size, static_cast<off_t>(at)) == static_cast<ssize_t>(size);
  };
  ++page.sequence;
  if (page.magic == 0) {
    page.id = device.shape.id;
    device.shape.name.copy(page.name, sizeof page.name - 1);
    for (const uint16_t code : device.shape.buttons)
      set_bit(page.keys, code);
    for (const auto& axis : device.shape.axes) {
      set_bit(page.axes, axis.code);
      page.values[axis.code] = {0, axis.least, axis.most, axis.fuzz, axis.flat, 0};
    }
    for (const unsigned effect : {FF_RUMBLE, FF_PERIODIC, FF_SQUARE, FF_TRIANGLE, FF_SINE, FF_GAIN})
      set_bit(page.effects, effect);
    page.magic = PadPage::kMagic;
  }
  for (size_t i = 0; i < device.shape.buttons.size(); ++i) {
    const unsigned code = device.shape.buttons[i];
    const auto mask = static_cast<uint8_t>(1 << code % 8);
    page.pressed[code / 8] = static_cast<uint8_t>((page.pressed[code / 8] & ~mask) | (device.values.buttons >> i & 1 ? mask : 0));
  }
  for (size_t i = 0; i < device.shape.axes.size(); ++i)
    page.values[device.shape.axes[i].code].value = device.values.axes[i];
  // Whoever reads between these sees an odd number, or one that is another afterwards.
  if (!write(&page.sequence, sizeof page.sequence, offsetof(PadPage, sequence)) || !write(&page, sizeof page, 0))
    return false;
  ++page.sequence;
  return write(&page.sequence, sizeof page.sequence, offsetof(PadPage, sequence));
}

void PadSockets::append_event(const Client& client, const PadEvent& event, std::vector<uint8_t>& out) const {
  timespec now{};
  clock_gettime(client.clock, &now);
  const int64_t seconds = now.tv_sec, microseconds = now.tv_nsec / 1000;
  if (client.event_size == 24) {
    append(out, seconds);
    append(out, microseconds);
  } else {
    append(out, static_cast<int32_t>(seconds));
    append(out, static_cast<int32_t>(microseconds));
  }
  append(out, EventTail{event.type, event.code, event.value});
}

void PadSockets::append_joystick(const Device& device, const PadEvent& event, uint8_t flags, std::vector<uint8_t>& out) const {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  js_event made{static_cast<uint32_t>(now.tv_sec * 1000 + now.tv_nsec / 1000000), 0, flags, 0};
  if (event.type == EV_KEY) {
    const auto& codes = device.shape.buttons;
    made.type |= JS_EVENT_BUTTON;
    made.number = static_cast<uint8_t>(std::lower_bound(codes.begin(), codes.end(), event.code) - codes.begin());
    made.value = static_cast<int16_t>(event.value);
  } else {
    const auto& axes = device.shape.axes;
    const auto found = std::find_if(axes.begin(), axes.end(), [&event](const PadAxis& axis) { return axis.code == event.code; });
    made.type |= JS_EVENT_AXIS;
    made.number = static_cast<uint8_t>(found - axes.begin());
    made.value = joystick_value(*found, event.value);
  }
  append(out, made);
}

/// As the kernel does for whoever opens a joystick, and again for whoever missed something.
void PadSockets::append_joystick_state(const Device& device, std::vector<uint8_t>& out) const {
  for (size_t i = 0; i < device.shape.buttons.size(); ++i)
    append_joystick(device, {EV_KEY, device.shape.buttons[i], static_cast<int32_t>(device.values.buttons >> i & 1)}, JS_EVENT_INIT, out);
  for (size_t i = 0; i < device.shape.axes.size(); ++i)
    append_joystick(device, {EV_ABS, device.shape.axes[i].code, device.values.axes[i]}, JS_EVENT_INIT, out);
}

void PadSockets::report(uint8_t pad, std::span<const PadEvent> events, const PadValues& now) {
  Device& device = devices_[pad];
  if (!device.page_file)
    return;
  device.values = now;
  write_page(device);
  std::vector<uint8_t> bytes;
  for (auto& [id, client] : clients_) {
    if (client.pad != pad || client.event_size == 0)
      continue;
    bytes.clear();
    for (const auto& event : events) {
      if (client.joystick)
        append_joystick(device, event, 0, bytes);
      else
        append_event(client, event, bytes);
    }
    if (!client.joystick)
      append_event(client, {EV_SYN, SYN_REPORT, 0}, bytes);
    send(id, client, bytes, client.joystick ? sizeof(js_event) : client.event_size);
  }
}

/// Events of `unit` bytes each, whole ones only: a program that does not read misses some, and will be told so.
void PadSockets::send(Id id, Client& client, const std::vector<uint8_t>& bytes, size_t unit) {
  if (client.behind)
    return;
  const ssize_t sent = ::send(client.fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  const size_t done = sent > 0 ? static_cast<size_t>(sent) : 0;
  if (done == bytes.size())
    return;
  client.behind = true;
  const size_t rest = (unit - done % unit) % unit;
  client.unsent.assign(bytes.begin() + static_cast<ptrdiff_t>(done), bytes.begin() + static_cast<ptrdiff_t>(done + rest));
  watch(id, client, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

void PadSockets::catch_up(Id id, Client& client) {
  std::vector<uint8_t> bytes = std::move(client.unsent);
  client.unsent.clear();
  const Device& device = devices_[client.pad];
  const size_t unit = client.joystick ? sizeof(js_event) : client.event_size, rest = bytes.size();
  if (client.joystick) {
    append_joystick_state(device, bytes);
  } else {
    append_event(client, {EV_SYN, SYN_DROPPED, 0}, bytes);
    append_event(client, {EV_SYN, SYN_REPORT, 0}, bytes);
  }
  client.behind = false;
  watch(id, client, EPOLLIN, EPOLL_CTL_MOD);
  const ssize_t sent = ::send(client.fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  const size_t done = sent > 0 ? static_cast<size_t>(sent) : 0;
  if (done == bytes.size())
    return;
  client.behind = true;
  const size_t cut = done < rest ? rest - done : (unit - (done - rest) % unit) % unit;
  client.unsent.assign(bytes.begin() + static_cast<ptrdiff_t>(done), bytes.begin() + static_cast<ptrdiff_t>(done + cut));
  watch(id, client, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

void PadSockets::watch(Id id, const Client& client, uint32_t events, int how) const {
  epoll_event wanted{};
  wanted.events = events;
  wanted.data.u64 = kFirstClient + id;
  epoll_ctl(epoll_.get(), how, client.fd.get(), &wanted);
}

void PadSockets::accept_all(uint8_t pad, bool joystick) {
  const Device& device = devices_[pad];
  const UniqueFd& socket = joystick ? device.joystick_socket : device.event_socket;
  while (socket) {
    UniqueFd fd(accept4(socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd)
      return;
    const auto open = std::count_if(clients_.begin(), clients_.end(), [pad](const auto& entry) { return entry.second.pad == pad; });
    if (static_cast<size_t>(open) >= kClientsMost)
      continue;
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof kSendBuffer);
    const Id id = next_++;
    Client& client = clients_[id];
    client.fd = std::move(fd);
    client.pad = pad;
    client.joystick = joystick;
    watch(id, client, EPOLLIN, EPOLL_CTL_ADD);
  }
}

void PadSockets::greet(Client& client) {
  PadHello hello;
  memcpy(&hello, client.received.data(), sizeof hello);
  client.received.erase(client.received.begin(), client.received.begin() + sizeof hello);
  if (hello.magic != PadHello::kMagic || hello.version != 1 || (hello.event_size != 24 && hello.event_size != 16))
    return;
  client.event_size = hello.event_size;
  std::vector<uint8_t> bytes;
  append(bytes, hello);
  if (client.joystick)
    append_joystick_state(devices_[client.pad], bytes);
  // The socket's buffer is empty: this fits.
  [[maybe_unused]] const auto sent = ::send(client.fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool PadSockets::receive(Id id, Client& client, PadFeedback& feedback) {
  uint8_t buffer[1536];
  const ssize_t got = recv(client.fd.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  if (got < 0)
    return errno == EAGAIN || errno == EINTR;
  if (got == 0)
    return false;
  client.received.insert(client.received.end(), buffer, buffer + got);
  if (client.event_size == 0) {
    if (client.received.size() < sizeof(PadHello))
      return true;
    greet(client);
    if (client.event_size == 0)
      return false;
  }
  // Nobody writes to a joystick.
  if (client.joystick)
    return client.received.empty();
  size_t at = 0;
  for (; client.received.size() - at >= client.event_size; at += client.event_size)
    take(id, client, client.received.data() + at, feedback);
  client.received.erase(client.received.begin(), client.received.begin() + static_cast<ptrdiff_t>(at));
  return true;
}

void PadSockets::take(Id id, Client& client, const uint8_t* event, PadFeedback& feedback) {
  EventTail tail;
  memcpy(&tail, event + client.event_size - sizeof tail, sizeof tail);
  switch (tail.type) {
    case kUploadEffect: {
      PadEffect effect;
      memcpy(&effect, event, sizeof effect);
      feedback.upload(client.pad, id, tail.code, {{effect.strong, effect.weak}, effect.length_ms, effect.delay_ms});
      break;
    }
    case kEraseEffect:
      feedback.erase(client.pad, id, tail.code);
      break;
    case kSetClock:
      if (tail.value == CLOCK_REALTIME || tail.value == CLOCK_MONOTONIC || tail.value == CLOCK_BOOTTIME)
        client.clock = tail.value;
      break;
    case EV_FF:
      if (tail.code == FF_GAIN)
        feedback.set_gain(client.pad, static_cast<uint16_t>(std::clamp(tail.value, 0, 0xffff)));
      else
        feedback.play_effect(client.pad, id, tail.code, tail.value);
      break;
    default:
      break;
  }
}

void PadSockets::close_client(Id id, PadFeedback* feedback) {
  const auto found = clients_.find(id);
  if (feedback)
    feedback->drop(found->second.pad, id);
  clients_.erase(found);
}

void PadSockets::serve(PadFeedback& feedback) {
  epoll_event events[32];
  const int count = epoll_wait(epoll_.get(), events, 32, 0);
  for (int i = 0; i < count; ++i) {
    const uint64_t tag = events[i].data.u64;
    if (tag < kFirstClient) {
      accept_all(static_cast<uint8_t>(tag / 2), tag % 2 != 0);
      continue;
    }
    const Id id = tag - kFirstClient;
    const auto found = clients_.find(id);
    if (found == clients_.end())
      continue;
    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !receive(id, found->second, feedback)) {
      close_client(id, &feedback);
      continue;
    }
    if (events[i].events & EPOLLOUT)
      catch_up(id, found->second);
  }
}

}  // namespace vitrine
