// SPDX-License-Identifier: LGPL-2.1-or-later
// A thread for each change.
#include "keeper-states.h"

#include <malloc.h>
#include <pthread.h>

#include <chrono>
#include <thread>

namespace vitrine {
namespace {

/// Pictures and encoders are large, and come and go on ever new threads: what they leave free goes back to the system, or the C library
/// keeps it in pieces for each of the threads.
void give_back_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace

template <class Work>
void StateChanges::run(Work work) {
  {
    MutexLock lock(count_->mutex);
    ++count_->running;
  }
  std::thread([work = std::move(work), count = count_]() mutable {
    pthread_setname_np(pthread_self(), "vitrine-state");
    work();
    MutexLock lock(count->mutex);
    if (--count->running == 0)
      count->none.notify_all();
  }).detach();
}

void StateChanges::change(Ref<GstElement> element, GstState state, std::function<void(bool)> done) {
  struct Result {
    std::shared_ptr<bool> alive;
    std::function<void(bool)> done;
    bool good;
  };
  auto* result = new Result{alive_, std::move(done), false};
  auto held = std::make_shared<Ref<GstElement>>(std::move(element));
  run([held, state, result] {
    result->good = gst_element_set_state(held->get(), state) != GST_STATE_CHANGE_FAILURE;
    held->reset();
    if (state == GST_STATE_NULL)
      give_back_memory();
    // Idle, so that the messages that say why come first.
    g_idle_add_full(
        G_PRIORITY_DEFAULT_IDLE,
        [](gpointer data) -> gboolean {
          const auto* told = static_cast<Result*>(data);
          if (*told->alive && told->done)
            told->done(told->good);
          return G_SOURCE_REMOVE;
        },
        result, [](gpointer data) { delete static_cast<Result*>(data); });
  });
}

void StateChanges::stop(Ref<GstElement> element, std::function<void()> done) {
  std::function<void(bool)> told;
  if (done)
    told = [done = std::move(done)](bool) { done(); };
  change(std::move(element), GST_STATE_NULL, std::move(told));
}

bool StateChanges::wait(int ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  MutexLock lock(count_->mutex);
  while (count_->running > 0)
    if (!count_->none.wait_until(count_->mutex, deadline))
      return count_->running == 0;
  return true;
}

}  // namespace vitrine
