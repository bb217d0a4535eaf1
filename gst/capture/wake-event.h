// SPDX-License-Identifier: LGPL-2.1-or-later
// Ends a poll() of another thread.
#pragma once

#include <sys/eventfd.h>

#include <cstdint>

#include "common/unique-fd.h"

namespace vitrine {

/// Thread-safe.
class WakeEvent {
 public:
  WakeEvent() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  int fd() const { return fd_.get(); }
  void set() const {
    const uint64_t one = 1;
    [[maybe_unused]] const auto written = write(fd_.get(), &one, sizeof one);
  }
  void clear() const {
    uint64_t count;
    [[maybe_unused]] const auto got = read(fd_.get(), &count, sizeof count);
  }

 private:
  UniqueFd fd_;
};

}  // namespace vitrine
