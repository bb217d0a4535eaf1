// SPDX-License-Identifier: LGPL-2.1-or-later
// Gamepads without privileges: a folder and Unix sockets that the preload library shows to programs as /dev/input (pad-abi.h).
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/unique-fd.h"
#include "remote/gamepad/pad-abi.h"
#include "remote/gamepad/pad-backend.h"

namespace vitrine {

class PadSockets final : public PadBackend {
 public:
  static constexpr size_t kClientsMost = 64;  // programs that have one gamepad open

  /// Makes `folder`, which must not be there yet or be empty of others' things, with what belongs into it. Null, with `error`, if it cannot.
  static std::unique_ptr<PadSockets> open(const std::string& folder, std::string& error);
  ~PadSockets() override;

  bool plug(uint8_t pad, const PadShape& shape, std::string& error) override;
  void unplug(uint8_t pad) override;
  void report(uint8_t pad, std::span<const PadEvent> events, const PadValues& now) override;
  int fd() const override { return epoll_.get(); }
  void serve(PadFeedback& feedback) override;

  size_t clients() const { return clients_.size(); }

 private:
  struct Client {
    UniqueFd fd;
    uint8_t pad = 0;
    bool joystick = false;
    uint8_t event_size = 0;  // 0: it has not said hello
    int clock = 0;
    bool behind = false;           // it missed something, and is told when it has read what is on its way
    std::vector<uint8_t> unsent;   // the rest of an event that was cut
    std::vector<uint8_t> received;  // the start of an event
  };
  struct Device {
    PadShape shape;
    PadValues values;
    pad_abi::PadPage page{};
    UniqueFd page_file;  // written, not mapped: programs of this user may cut it short
    UniqueFd event_socket, joystick_socket;
  };
  using Id = RumbleMixer::Client;

  explicit PadSockets(std::string folder) : folder_(std::move(folder)) {}
  UniqueFd listen_on(const std::string& name, uint64_t tag, std::string& error);
  std::string path(const char* part, const std::string& name = "") const { return folder_ + part + (name.empty() ? "" : "/" + name); }
  void accept_all(uint8_t pad, bool joystick);
  /// False when the client has gone.
  bool receive(Id id, Client& client, PadFeedback& feedback);
  void take(Id id, Client& client, const uint8_t* event, PadFeedback& feedback);
  void greet(Client& client);
  void close_client(Id id, PadFeedback* feedback);
  bool write_page(Device& device);
  void send(Id id, Client& client, const std::vector<uint8_t>& bytes, size_t unit);
  void catch_up(Id id, Client& client);
  void append_event(const Client& client, const PadEvent& event, std::vector<uint8_t>& out) const;
  void append_joystick(const Device& device, const PadEvent& event, uint8_t flags, std::vector<uint8_t>& out) const;
  void append_joystick_state(const Device& device, std::vector<uint8_t>& out) const;
  void watch(Id id, const Client& client, uint32_t events, int how) const;

  const std::string folder_;
  UniqueFd epoll_;
  std::array<Device, kPadsMost> devices_;
  std::map<Id, Client> clients_;
  Id next_ = 1;
};

/// Removes what a PadSockets of a process that was killed left in `folder`, and the folder.
void remove_pad_folder(const std::string& folder);

}  // namespace vitrine
