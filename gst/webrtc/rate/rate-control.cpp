// SPDX-License-Identifier: LGPL-2.1-or-later
// Which control there is.
#include "webrtc/rate/rate-control.h"

#include <algorithm>

#include "webrtc/rate/gcc-controller.h"
#include "webrtc/rate/rate-controller.h"

namespace vitrine {
namespace {

class NoControl : public RateControl {
 public:
  explicit NoControl(const RateLimits& limits) : bps_(limits.max_bps) {}
  void set_limits(const RateLimits& limits) override { bps_ = limits.max_bps; }
  void sent(int64_t, uint32_t) override {}
  void feedback(int64_t, std::span<const Delivery>) override {}
  void tick(int64_t) override {}
  double target_bps() const override { return bps_; }
  RateFacts facts() const override {
    RateFacts facts;
    facts.state = RateState::steady;
    facts.target_bps = bps_;
    return facts;
  }

 private:
  double bps_;
};

}  // namespace

const char* to_string(RateState state) {
  static constexpr const char* names[] = {"starting", "limited", "growing", "steady", "draining", "competing", "blind"};
  return names[static_cast<int>(state)];
}

int64_t RateControl::spread_us(double bits) const {
  const double bps = kSpreadGain * std::max({1.0, target_bps(), facts().capacity_bps});
  return bits <= kAtOnceBits ? 0 : std::min(kSpreadUs, static_cast<int64_t>(bits * 1e6 / bps));
}

std::unique_ptr<RateControl> make_rate_control(const RateLimits& limits) {
  switch (limits.control) {
    case ControlKind::gcc: return std::make_unique<GccController>(limits);
    case ControlKind::off: return std::make_unique<NoControl>(limits);
    case ControlKind::desktop: break;
  }
  return std::make_unique<RateController>(limits);
}

}  // namespace vitrine
