// SPDX-License-Identifier: LGPL-2.1-or-later
// A first-in first-out link.
#include "link.h"

#include <algorithm>
#include <cmath>

namespace vitrine::bench {

bool Link::drops() {
  const auto chance = [&](double p) { return p > 0 && std::generate_canonical<double, 53>(random_) < p; };
  bad_ = bad_ ? !chance(settings_.burst_leave) : chance(settings_.burst_enter);
  return bad_ || chance(settings_.loss);
}

void Link::change(int64_t now_us, const LinkSettings& settings) {
  serve(now_us);
  settings_ = settings;
}

bool Link::push(int64_t now_us, uint64_t id, size_t size) {
  serve(now_us);
  ++statistics_.taken;
  if (drops()) {
    ++statistics_.lost;
    return false;
  }
  if (settings_.rate_bps > 0 && queued_bytes_ + size > settings_.queue_bytes && !queue_.empty()) {
    ++statistics_.overflowed;
    return false;
  }
  if (queue_.empty())
    head_bits_ = static_cast<double>(size) * 8;
  queue_.push_back({id, size});
  queued_bytes_ += size;
  if (settings_.rate_bps <= 0)
    serve(now_us);
  return true;
}

void Link::serve(int64_t now_us) {
  double budget = std::max<double>(0, static_cast<double>(now_us - served_us_)) * settings_.rate_bps / 1e6;
  double at_us = static_cast<double>(served_us_);
  const auto out = [&](double when_us) {
    const auto jitter = settings_.jitter_us > 0 ? static_cast<int64_t>(random_() % static_cast<uint64_t>(settings_.jitter_us)) : 0;
    last_out_us_ = std::max(last_out_us_, static_cast<int64_t>(std::llround(when_us)) + settings_.delay_us + jitter);
    flying_.push_back({queue_.front().id, last_out_us_});
    queued_bytes_ -= queue_.front().size;
    statistics_.bytes += queue_.front().size;
    ++statistics_.delivered;
    queue_.pop_front();
    head_bits_ = queue_.empty() ? 0 : static_cast<double>(queue_.front().size) * 8;
  };
  while (!queue_.empty()) {
    if (settings_.rate_bps <= 0) {
      out(static_cast<double>(now_us));
    } else if (budget >= head_bits_) {
      budget -= head_bits_;
      at_us += head_bits_ * 1e6 / settings_.rate_bps;
      out(at_us);
    } else {
      head_bits_ -= budget;
      break;
    }
  }
  served_us_ = std::max(served_us_, now_us);
}

int64_t Link::next_us() const {
  int64_t next = flying_.empty() ? -1 : flying_.front().at_us;
  if (!queue_.empty() && settings_.rate_bps > 0) {
    const int64_t head = served_us_ + static_cast<int64_t>(std::ceil(head_bits_ * 1e6 / settings_.rate_bps));
    next = next < 0 ? head : std::min(next, head);
  }
  return next;
}

void Link::pop(int64_t now_us, const std::function<void(uint64_t, int64_t)>& out) {
  serve(now_us);
  while (!flying_.empty() && flying_.front().at_us <= now_us) {
    const Flying packet = flying_.front();
    flying_.pop_front();
    out(packet.id, packet.at_us);
  }
}

int64_t Link::queue_us(int64_t now_us) {
  serve(now_us);
  if (queue_.empty() || settings_.rate_bps <= 0)
    return 0;
  const double bits = static_cast<double>(queued_bytes_ - queue_.front().size) * 8 + head_bits_;
  return static_cast<int64_t>(bits * 1e6 / settings_.rate_bps);
}

}  // namespace vitrine::bench
