// SPDX-License-Identifier: LGPL-2.1-or-later
// Which viewers' addresses could not reach the shared port lately: their next media connection does not try it first. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace vitrine {

/// Not thread-safe. The caller brings the time.
class ReachMemory {
 public:
  static constexpr int64_t kForgetUs = int64_t{10} * 60 * 1'000'000;
  static constexpr size_t kMax = 1024;

  void failed(const std::string& address, int64_t now_us) {
    if (failed_.size() >= kMax && !failed_.contains(address))
      failed_.erase(failed_.begin());
    failed_[address] = now_us;
  }
  void reached(const std::string& address) { failed_.erase(address); }
  bool unreachable(const std::string& address, int64_t now_us) const {
    const auto found = failed_.find(address);
    return found != failed_.end() && now_us - found->second < kForgetUs;
  }

 private:
  std::map<std::string, int64_t> failed_;
};

}  // namespace vitrine
