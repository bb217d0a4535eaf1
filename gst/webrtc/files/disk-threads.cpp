// SPDX-License-Identifier: LGPL-2.1-or-later
// A small pool, and the way back to the server's thread.
#include "webrtc/files/disk-threads.h"

#include <chrono>

#include "common/mutex.h"
#include "common/ref.h"
#include "webrtc/http-exchange.h"

namespace vitrine {
namespace {

constexpr int kThreads = 4;
constexpr auto kPatience = std::chrono::seconds(2);

}  // namespace

struct DiskThreads::Pending {
  Mutex mutex;
  Condition changed;
  int count GUARDED_BY(mutex) = 0;
};

struct DiskThreads::Job {
  std::shared_ptr<Pending> pending;
  std::function<void()> work;
  Ref<GMainContext> context;  // of the server
  // Touched on the server's thread alone:
  Ref<SoupServerMessage> message;
  std::function<void(SoupServerMessage*)> done;
  gulong watches[2] = {};
  bool over = false;

  void watch() {
    for (size_t i = 0; i < 2; i++)
      watches[i] = g_signal_connect(message.get(), i == 0 ? "finished" : "disconnected",
                                    G_CALLBACK(+[](SoupServerMessage*, gpointer data) { static_cast<Job*>(data)->over = true; }), this);
  }

  void finish() {
    if (!message)
      return;
    if (!over)
      done(message.get());
    for (const gulong watch : watches)
      g_signal_handler_disconnect(message.get(), watch);
    if (!over && !is_closed(message.get()))
      soup_server_message_unpause(message.get());
  }
};

DiskThreads::DiskThreads()
    : pool_(g_thread_pool_new(
          [](gpointer data, gpointer) {
            auto* job = static_cast<Job*>(data);
            job->work();
            job->work = nullptr;
            const std::shared_ptr<Pending> pending = job->pending;
            // Messages are let go of on the server's thread.
            GSource* source = g_idle_source_new();
            g_source_set_priority(source, G_PRIORITY_DEFAULT);
            g_source_set_callback(
                source,
                [](gpointer finished) -> gboolean {
                  static_cast<Job*>(finished)->finish();
                  return G_SOURCE_REMOVE;
                },
                job, [](gpointer finished) { delete static_cast<Job*>(finished); });
            const auto context = job->context.copy();
            g_source_attach(source, context.get());
            g_source_unref(source);
            MutexLock lock(pending->mutex);
            pending->count--;
            pending->changed.notify_all();
          },
          nullptr, kThreads, FALSE, nullptr)),
      pending_(std::make_shared<Pending>()) {}

DiskThreads::~DiskThreads() {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  {
    MutexLock lock(pending_->mutex);
    while (pending_->count > 0 && pending_->changed.wait_until(pending_->mutex, deadline)) {
    }
  }
  // What hangs in the kernel is left behind.
  g_thread_pool_free(pool_, FALSE, FALSE);
}

void DiskThreads::start(std::unique_ptr<Job> job) {
  job->pending = pending_;
  job->context = Ref<GMainContext>::adopt(g_main_context_ref_thread_default());
  {
    MutexLock lock(pending_->mutex);
    pending_->count++;
  }
  g_thread_pool_push(pool_, job.release(), nullptr);
}

void DiskThreads::run(SoupServerMessage* message, std::function<void()> work, std::function<void(SoupServerMessage*)> done) {
  auto job = std::make_unique<Job>();
  job->work = std::move(work);
  job->done = std::move(done);
  job->message = Ref<SoupServerMessage>::share(message);
  job->watch();
  soup_server_message_pause(message);
  start(std::move(job));
}

void DiskThreads::run(std::function<void()> work) {
  auto job = std::make_unique<Job>();
  job->work = std::move(work);
  start(std::move(job));
}

}  // namespace vitrine
