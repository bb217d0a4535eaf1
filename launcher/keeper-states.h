// SPDX-License-Identifier: LGPL-2.1-or-later
// State changes of elements on threads of their own: a driver that hangs must not take the main loop along.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <utility>
#include <utility>

#include "common/mutex.h"
#include "common/ref.h"

namespace vitrine {

/// Bound to the main thread.
class StateChanges {
 public:
  StateChanges() = default;
  ~StateChanges() { *alive_ = false; }
  StateChanges(const StateChanges&) = delete;
  StateChanges& operator=(const StateChanges&) = delete;

  /// Brings an element to PLAYING; `done` is told on the main loop whether that went well, unless we are gone by then.
  void start(GstElement* element, std::function<void(bool good)> done) { change(element, GST_STATE_PLAYING, std::move(done)); }
  /// The same with another state. Changes of one element are to wait for each other.
  void change(GstElement* element, GstState state, std::function<void(bool good)> done) {
    change(Ref<GstElement>::share(element), state, std::move(done));
  }
  /// Brings an element to NULL and lets go of it; `done`, if any, is told then, as above. One that hangs stays, with its thread, until it
  /// comes back.
  void stop(Ref<GstElement> element, std::function<void()> done = {});
  /// Waits until nothing is under way; false if that takes longer.
  bool wait(int ms);

 private:
  struct Count {
    Mutex mutex;
    Condition none;
    int running GUARDED_BY(mutex) = 0;
  };
  template <class Work>
  void run(Work work);
  void change(Ref<GstElement> element, GstState state, std::function<void(bool)> done);

  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // main thread only
  const std::shared_ptr<Count> count_ = std::make_shared<Count>();
};

}  // namespace vitrine
