// SPDX-License-Identifier: LGPL-2.1-or-later
// Off-thread teardown with a watchdog.
#include "webrtc/reaper.h"

#include <deque>
#include <thread>

#include "common/mutex.h"
#include "webrtc/debug.h"

namespace vitrine {

struct Reaper::State {
  Mutex mutex;
  Condition changed;
  std::deque<Ref<GstElement>> queue GUARDED_BY(mutex);
  bool busy GUARDED_BY(mutex) = false;
  bool stop GUARDED_BY(mutex) = false;
  uint64_t done GUARDED_BY(mutex) = 0;
};

Reaper::Reaper() : state_(std::make_shared<State>()) { std::thread(run, state_).detach(); }

Reaper::~Reaper() {
  State& state = *state_;
  MutexLock lock(state.mutex);
  state.stop = true;
  state.changed.notify_all();
  while (state.busy || !state.queue.empty()) {
    const uint64_t before = state.done;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::microseconds(kPatienceUs);
    while (state.done == before && state.changed.wait_until(state.mutex, deadline)) {
    }
    if (state.done == before) {
      GST_ERROR("a viewer's pipeline does not stop; it is left behind");
      return;
    }
  }
}

void Reaper::take(Ref<GstElement> pipeline) {
  MutexLock lock(state_->mutex);
  state_->queue.push_back(std::move(pipeline));
  state_->changed.notify_all();
}

void Reaper::run(std::shared_ptr<State> state) {
  pthread_setname_np(pthread_self(), "vitrine-reaper");
  MutexLock lock(state->mutex);
  for (;;) {
    while (state->queue.empty() && !state->stop)
      state->changed.wait(state->mutex);
    if (state->queue.empty())
      return;
    auto pipeline = std::move(state->queue.front());
    state->queue.pop_front();
    state->busy = true;
    lock.unlock();
    const int64_t start_us = g_get_monotonic_time();
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    pipeline.reset();
    const int64_t took_us = g_get_monotonic_time() - start_us;
    if (took_us > kPatienceUs)
      GST_WARNING("a viewer's pipeline took %" G_GINT64_FORMAT " ms to stop", took_us / 1000);
    lock.lock();
    state->busy = false;
    ++state->done;
    state->changed.notify_all();
  }
}

}  // namespace vitrine
