// SPDX-License-Identifier: LGPL-2.1-or-later
// The way back to a display.
#include "keeper-display.h"

#include <glib.h>

#include <algorithm>
#include <utility>

#include "report.h"
#include "text.h"

namespace vitrine {
namespace {

constexpr int64_t kFirstDelayUs = 50'000, kMostDelayUs = 1'000'000;
/// So long a display of somebody else may be away: a log-out and log-in.
constexpr int64_t kPatienceUs = 60'000'000;
constexpr int kRestarts = 6;
constexpr int64_t kEarnUs = 1'000'000;
/// Starts of the X server with its own number, which somebody else may have taken.
constexpr int kWithItsNumber = 2;

}  // namespace

DisplayKeeper::DisplayKeeper(XServer* xserver, std::string display, Host host)
    : xserver_(xserver),
      display_(std::move(display)),
      host_(std::move(host)),
      limit_(kRestarts, kEarnUs, kFirstDelayUs * 2, 2 * kMostDelayUs),
      back_us_(g_get_monotonic_time()) {}

DisplayKeeper::~DisplayKeeper() {
  if (timer_)
    g_source_remove(timer_);
}

void DisplayKeeper::lost() {
  if (std::exchange(down_, true))
    return;
  lost_us_ = g_get_monotonic_time();
  delay_us_ = kFirstDelayUs;
  starts_ = 0;
  GST_WARNING("the display is lost");
  host_.tell(kTopicDisplay, xserver_ ? N_("The display is being restarted…") : N_("Waiting for the display to come back…"));
  host_.gone();
  attempt_in(delay_us_);
}

void DisplayKeeper::server_ended(int status) {
  GST_WARNING("the private X server has ended with status %d", status);
  xserver_->forget();
  // While it starts, its pipe tells.
  if (!starting_)
    lost();
}

void DisplayKeeper::attempt_in(int64_t delay_us) {
  if (timer_)
    g_source_remove(timer_);
  timer_ = g_timeout_add(
      static_cast<guint>(delay_us / 1000),
      [](gpointer self) -> gboolean {
        static_cast<DisplayKeeper*>(self)->timer_ = 0;
        static_cast<DisplayKeeper*>(self)->attempt();
        return G_SOURCE_REMOVE;
      },
      this);
}

void DisplayKeeper::attempt() {
  const int64_t now_us = g_get_monotonic_time();
  if (now_us - lost_us_ > kPatienceUs) {
    host_.give_up(_("the display has not come back"));
    return;
  }
  if (!xserver_ || xserver_->pid()) {
    host_.here(xserver_ ? xserver_->display() : display_);
    return;
  }
  if (!std::exchange(paid_, false)) {
    const auto wait_us = limit_.take(starts_ == 0 ? lost_us_ - back_us_ : 0);
    if (!wait_us) {
      host_.give_up(_("the private X server ends again and again"));
      return;
    }
    if (*wait_us > 0) {
      paid_ = true;
      attempt_in(*wait_us);
      return;
    }
  }
  starting_ = true;
  xserver_->restart(starts_++ < kWithItsNumber, [this](const std::string& error) {
    starting_ = false;
    if (error.empty()) {
      host_.here(xserver_->display());
      return;
    }
    GST_WARNING("%s", error.c_str());
    result(false);
  });
  if (xserver_->pid())
    host_.watch(xserver_->pid());
}

void DisplayKeeper::result(bool good) {
  if (!down_)
    return;
  if (!good) {
    host_.gone();
    delay_us_ = std::min(kMostDelayUs, delay_us_ * 2);
    attempt_in(delay_us_);
    return;
  }
  down_ = false;
  back_us_ = g_get_monotonic_time();
  GST_WARNING("the display is back after %" G_GINT64_FORMAT " ms", (back_us_ - lost_us_) / 1000);
  host_.tell(kTopicDisplay, "");
  host_.back();
}

}  // namespace vitrine
