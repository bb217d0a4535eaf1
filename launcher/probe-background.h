// SPDX-License-Identifier: LGPL-2.1-or-later
// The probe that starts by itself: where --profile=auto knows nothing of a machine yet, it finds out beside the session.
#pragma once

#include <gio/gio.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/ref.h"
#include "probe-verdict.h"
#include "settings.h"

namespace vitrine {

/// A child process that probes when the machine is calm, at the lowest priority, and keeps the report where it can. Bound to the main
/// thread; its end ends the child.
class BackgroundProbe {
 public:
  /// `done` is told once, unless the child finds no calm, fails or is ended.
  BackgroundProbe(const Settings& settings, std::function<void(const ProbeReport&)> done);
  ~BackgroundProbe();
  BackgroundProbe(const BackgroundProbe&) = delete;
  BackgroundProbe& operator=(const BackgroundProbe&) = delete;

 private:
  struct Running;  // outlives us until the child has ended
  static gboolean on_time(gpointer self);
  static void on_end(GObject* process, GAsyncResult* result, gpointer running);

  const std::vector<std::string> words_;
  const std::function<void(const ProbeReport&)> done_;
  const std::shared_ptr<BackgroundProbe*> self_ = std::make_shared<BackgroundProbe*>(this);  // null when we are gone
  Ref<GSubprocess> child_;
  guint timer_ = 0;
};

/// What the child does: waits for calm, probes, prints the report as JSON. Returns the exit status.
int run_background_probe(const Settings& settings);

}  // namespace vitrine
