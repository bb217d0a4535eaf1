// SPDX-License-Identifier: LGPL-2.1-or-later
// A child, and the calm that it waits for.
#include "probe-background.h"

#include <sys/resource.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <numeric>

#include "probe-cache.h"
#include "probe.h"
#include "report.h"
#include "text.h"

namespace vitrine {
namespace {

/// The desktop's programs and the first viewer come first.
constexpr guint kAfterMs = 3000;
/// On a busy machine nothing is measured that would hold on a calm one, and nothing is taken away from who works there.
constexpr double kIdle = 0.4;
constexpr int kLooks = 120;
constexpr gulong kBetweenLooksUs = 5 * G_USEC_PER_SEC;

std::vector<std::string> words_for(const Settings& settings) {
  std::vector<std::string> words = own_command();
  for (const char* option : {"framerate", "bitrate", "size", "probe"})
    words.push_back(std::string("--") + option + "=" + settings.text(option));
  words.emplace_back("probe-background");
  return words;
}

/// Jiffies of all processors together, and those of them that were idle: proc(5).
std::array<double, 2> processor_time() {
  std::ifstream file("/proc/stat");
  std::string cpu;
  file >> cpu;
  std::array<double, 8> times{};
  for (double& time : times)
    file >> time;
  return {std::accumulate(times.begin(), times.end(), 0.0), times[3] + times[4]};
}

/// Whether this share of all processors is idle for a second.
bool is_calm(double idle) {
  const auto before = processor_time();
  g_usleep(G_USEC_PER_SEC);
  const auto after = processor_time();
  return after[0] > before[0] && (after[1] - before[1]) / (after[0] - before[0]) >= idle;
}

}  // namespace

struct BackgroundProbe::Running {
  std::shared_ptr<BackgroundProbe*> probe;
};

BackgroundProbe::BackgroundProbe(const Settings& settings, std::function<void(const ProbeReport&)> done)
    : words_(words_for(settings)), done_(std::move(done)), timer_(g_timeout_add(kAfterMs, on_time, this)) {}

BackgroundProbe::~BackgroundProbe() {
  *self_ = nullptr;
  if (timer_)
    g_source_remove(timer_);
  if (child_)
    g_subprocess_force_exit(child_.get());
}

gboolean BackgroundProbe::on_time(gpointer data) {
  auto* self = static_cast<BackgroundProbe*>(data);
  self->timer_ = 0;
  std::vector<const char*> arguments;
  for (const auto& word : self->words_)
    arguments.push_back(word.c_str());
  arguments.push_back(nullptr);
  ErrorSlot error;
  self->child_ = Ref<GSubprocess>::adopt(g_subprocess_newv(
      arguments.data(), static_cast<GSubprocessFlags>(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE), error.out()));
  if (self->child_)
    g_subprocess_communicate_utf8_async(self->child_.get(), nullptr, nullptr, on_end, new Running{self->self_});
  else
    GST_WARNING("no probe: %s", error.message());
  return G_SOURCE_REMOVE;
}

void BackgroundProbe::on_end(GObject* process, GAsyncResult* result, gpointer data) {
  const std::unique_ptr<Running> running(static_cast<Running*>(data));
  char* text = nullptr;
  g_subprocess_communicate_utf8_finish(G_SUBPROCESS(process), result, &text, nullptr, nullptr);
  const GCharPtr output(text);
  BackgroundProbe* probe = *running->probe;
  if (!probe)
    return;
  probe->child_.reset();
  if (const auto report = output ? report_from_json(output.get()) : std::nullopt)
    probe->done_(*report);
  else
    GST_INFO("the probe has no report");
}

int run_background_probe(const Settings& settings) {
  setpriority(PRIO_PROCESS, 0, 19);
  for (int look = 0; settings.text("probe") != "now" && !is_calm(kIdle); ++look) {
    if (look == kLooks)
      return complain(kExitFailure, _("the machine is too busy to be measured"));
    g_usleep(kBetweenLooksUs);
  }
  const ProbeReport report = probe(settings, ProbePatience{20 * G_USEC_PER_SEC, 120 * G_USEC_PER_SEC});
  // Where nothing can be kept the session knows it all the same.
  std::string ignored;
  keep_report(report, ignored);
  std::fputs(to_json(report).c_str(), stdout);
  return report.winner >= 0 ? kExitOk : kExitMissing;
}

}  // namespace vitrine
