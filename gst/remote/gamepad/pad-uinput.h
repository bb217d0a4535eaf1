// SPDX-License-Identifier: LGPL-2.1-or-later
// Gamepads as devices of the kernel, where /dev/uinput may be opened.
#pragma once

#include <sys/types.h>

#include <array>
#include <memory>
#include <string>

#include "common/unique-fd.h"
#include "remote/gamepad/pad-backend.h"

namespace vitrine {

/// The kernel's calls; tests have others.
struct UInputCalls {
  int (*open)();                                             // /dev/uinput; -1 with errno
  int (*ioctl)(int fd, unsigned long request, void* argument);  // -1 with errno
  ssize_t (*write)(int fd, const void* bytes, size_t count);
  ssize_t (*read)(int fd, void* bytes, size_t count);
};
const UInputCalls& kernel_uinput();

class PadUInput final : public PadBackend {
 public:
  /// Null, with `error`, if /dev/uinput cannot be opened.
  static std::unique_ptr<PadUInput> open(std::string& error, const UInputCalls& calls = kernel_uinput());

  bool plug(uint8_t pad, const PadShape& shape, std::string& error) override;
  void unplug(uint8_t pad) override;
  void report(uint8_t pad, std::span<const PadEvent> events, const PadValues& now) override;
  int fd() const override { return epoll_.get(); }
  void serve(PadFeedback& feedback) override;

 private:
  explicit PadUInput(const UInputCalls& calls) : calls_(calls) {}
  bool set_up(int fd, const PadShape& shape) const;
  void serve_pad(uint8_t pad, PadFeedback& feedback);
  void upload(uint8_t pad, int32_t request, PadFeedback& feedback);
  void erase(uint8_t pad, int32_t request, PadFeedback& feedback);

  const UInputCalls& calls_;
  UniqueFd epoll_;
  std::array<UniqueFd, kPadsMost> devices_;
};

}  // namespace vitrine
