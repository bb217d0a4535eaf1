// SPDX-License-Identifier: LGPL-2.1-or-later
// When a program's end is its last.
#include "keeper-program.h"

#include <glib.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "process.h"
#include "report.h"
#include "text.h"

namespace vitrine {
namespace {

/// A program dies of a lost display before we hear of that: so long a failed one waits for the real reason.
constexpr int64_t kReasonUs = 300'000;
/// And so late it may still do so.
constexpr int64_t kLateUs = 5'000'000;
constexpr int kRestarts = 5;
constexpr int64_t kEarnUs = 10'000'000, kDelayUs = 250'000, kMostDelayUs = 5'000'000;
/// The notice of a restart stays so long.
constexpr guint kToldMs = 3000;
constexpr int kShellSignal = 128;

}  // namespace

bool is_crash(int status) {
  static constexpr int kSignals[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGKILL};
  return std::find(std::begin(kSignals), std::end(kSignals), status - kShellSignal) != std::end(kSignals);
}

ProgramKeeper::Policy ProgramKeeper::policy_from(const std::string& name) {
  return name == "never" ? Policy::never : name == "always" ? Policy::always : Policy::on_crash;
}

ProgramKeeper::ProgramKeeper(std::vector<std::string> command, Policy policy, Host host)
    : command_(std::move(command)), policy_(policy), host_(std::move(host)), limit_(kRestarts, kEarnUs, kDelayUs, kMostDelayUs) {}

ProgramKeeper::~ProgramKeeper() {
  for (const unsigned timer : {timer_, told_})
    if (timer)
      g_source_remove(timer);
}

void ProgramKeeper::start(const std::string& display) {
  display_ = display;
  StartOptions options;
  options.environment = host_.environment;
  if (!display.empty())
    options.environment.push_back("DISPLAY=" + display);
  int why = 0;
  pid_ = start_process(command_, options, why);
  started_us_ = g_get_monotonic_time();
  if (pid_)
    host_.watch(pid_);
  else
    host_.finish(why == ENOENT ? kExitNotFound : kExitNotRunnable, command_[0] + ": " + _("cannot be run:") + " " + g_strerror(why));
}

void ProgramKeeper::ended(int status) {
  pid_ = 0;
  const int64_t now_us = g_get_monotonic_time();
  if (status == 0 && policy_ != Policy::always) {
    host_.finish(kExitOk, "");
    return;
  }
  struct Late {
    ProgramKeeper* self;
    int status;
    int64_t ended_us;
  };
  timer_ = g_timeout_add_full(
      G_PRIORITY_DEFAULT, kReasonUs / 1000,
      [](gpointer data) -> gboolean {
        const auto* late = static_cast<Late*>(data);
        late->self->timer_ = 0;
        late->self->judge(late->status, late->ended_us);
        return G_SOURCE_REMOVE;
      },
      new Late{this, status, now_us}, [](gpointer data) { delete static_cast<Late*>(data); });
}

void ProgramKeeper::judge(int status, int64_t ended_us) {
  const bool with_display = host_.display_lost_us() != 0 && ended_us - host_.display_lost_us() < kLateUs && started_us_ < host_.display_lost_us();
  if (with_display && policy_ != Policy::never) {
    waits_for_display_ = host_.display_down();
    if (!waits_for_display_)
      start(display_);
    return;
  }
  const std::string why = command_[0] + ": " + _("ended with status") + " " + std::to_string(status);
  const bool again = policy_ == Policy::always || (policy_ == Policy::on_crash && is_crash(status));
  const auto delay_us = again ? limit_.take(ended_us - started_us_) : std::nullopt;
  if (!delay_us) {
    host_.finish(status, status == 0 ? "" : again ? why + ", " + _("again and again") : why);
    return;
  }
  GST_WARNING("%s; it is started again", why.c_str());
  host_.tell(kTopicProgram, status == 0 ? N_("The program has ended and is being started again…")
                                        : N_("The program has crashed and is being started again…"));
  start_in(*delay_us);
}

void ProgramKeeper::start_in(int64_t delay_us) {
  timer_ = g_timeout_add(
      static_cast<guint>(delay_us / 1000),
      [](gpointer data) -> gboolean {
        auto* self = static_cast<ProgramKeeper*>(data);
        self->timer_ = 0;
        self->stop_telling();
        if (self->host_.display_down())
          self->waits_for_display_ = true;
        else
          self->start(self->display_);
        return G_SOURCE_REMOVE;
      },
      this);
}

void ProgramKeeper::stop_telling() {
  if (told_)
    g_source_remove(told_);
  told_ = g_timeout_add(
      kToldMs,
      [](gpointer data) -> gboolean {
        auto* self = static_cast<ProgramKeeper*>(data);
        self->told_ = 0;
        self->host_.tell(kTopicProgram, "");
        return G_SOURCE_REMOVE;
      },
      this);
}

void ProgramKeeper::display_back(const std::string& display) {
  display_ = display;
  if (std::exchange(waits_for_display_, false))
    start(display);
}

}  // namespace vitrine
