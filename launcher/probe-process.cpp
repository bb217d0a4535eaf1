// SPDX-License-Identifier: LGPL-2.1-or-later
// A child with a time limit, watched from the main loop.
#include "probe-process.h"

#include <gio/gio.h>

#include "common/ref.h"
#include "text.h"

namespace vitrine {
namespace {

class Child {
 public:
  ProbeOutcome run(const std::vector<std::string>& words, gint64 limit_us) {
    std::vector<const char*> arguments;
    for (const auto& word : words)
      arguments.push_back(word.c_str());
    arguments.push_back(nullptr);
    const auto launcher = Ref<GSubprocessLauncher>::adopt(
        g_subprocess_launcher_new(static_cast<GSubprocessFlags>(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE)));
    // GPUs are counted by their slots.
    g_subprocess_launcher_setenv(launcher.get(), "CUDA_DEVICE_ORDER", "PCI_BUS_ID", TRUE);
    ErrorSlot error;
    const auto process = Ref<GSubprocess>::adopt(g_subprocess_launcher_spawnv(launcher.get(), arguments.data(), error.out()));
    if (!process)
      return {"", error.message()};
    process_ = process.get();
    const guint timer = g_timeout_add(static_cast<guint>(limit_us / 1000), on_timeout, this);
    g_subprocess_communicate_utf8_async(process.get(), nullptr, nullptr, on_end, this);
    while (!done_)
      g_main_context_iteration(nullptr, TRUE);
    if (!late_)
      g_source_remove(timer);
    if (late_)
      return {"", _("hangs: ended after") + (" " + std::to_string(limit_us / G_USEC_PER_SEC) + " s")};
    if (g_subprocess_get_if_signaled(process.get()))
      return {"", _("crashes: signal") + (" " + std::to_string(g_subprocess_get_term_sig(process.get())))};
    return {output_, output_.empty() ? _("ends without an answer") : ""};
  }

 private:
  static gboolean on_timeout(gpointer self) {
    auto* child = static_cast<Child*>(self);
    child->late_ = true;
    g_subprocess_force_exit(child->process_);
    return G_SOURCE_REMOVE;
  }
  static void on_end(GObject* process, GAsyncResult* result, gpointer self) {
    auto* child = static_cast<Child*>(self);
    char* text = nullptr;
    g_subprocess_communicate_utf8_finish(G_SUBPROCESS(process), result, &text, nullptr, nullptr);
    child->output_ = text ? text : "";
    g_free(text);
    child->done_ = true;
  }
  GSubprocess* process_ = nullptr;
  std::string output_;
  bool done_ = false, late_ = false;
};

}  // namespace

ProbeOutcome run_probe_process(const std::vector<std::string>& words, gint64 limit_us) { return Child().run(words, limit_us); }

}  // namespace vitrine
