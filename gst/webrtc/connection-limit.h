// SPDX-License-Identifier: LGPL-2.1-or-later
// How many connections there may be, in all and from one address. Thread-safe: connections end on whatever thread lets go of them last.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "common/mutex.h"

namespace vitrine {

class ConnectionLimit {
 public:
  ConnectionLimit(size_t most, size_t most_per_address) : most_(most), most_per_address_(most_per_address) {}

  /// False if there are as many as there may be; else give() has to follow.
  bool take(const std::string& address) {
    MutexLock lock(mutex_);
    const auto found = counts_.find(address);
    if (all_ >= most_ || (found != counts_.end() && found->second >= most_per_address_))
      return false;
    ++counts_[address];
    ++all_;
    return true;
  }

  void give(const std::string& address) {
    MutexLock lock(mutex_);
    const auto found = counts_.find(address);
    if (found == counts_.end())
      return;
    --all_;
    if (--found->second == 0)
      counts_.erase(found);
  }

  size_t all() const {
    MutexLock lock(mutex_);
    return all_;
  }

 private:
  const size_t most_, most_per_address_;
  mutable Mutex mutex_;
  size_t all_ GUARDED_BY(mutex_) = 0;
  std::map<std::string, size_t> counts_ GUARDED_BY(mutex_);
};

}  // namespace vitrine
