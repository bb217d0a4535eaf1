// SPDX-License-Identifier: LGPL-2.1-or-later
// Threads for what a slow disk, or a folder on a network that hangs, may hold up: never the session's, nor GLib's own, which others need.
#pragma once

#include <libsoup/soup.h>

#include <functional>
#include <memory>

namespace vitrine {

/// Bound to the thread of its server.
class DiskThreads {
 public:
  DiskThreads();
  /// Waits for what is running, but not for ever.
  ~DiskThreads();
  DiskThreads(const DiskThreads&) = delete;
  DiskThreads& operator=(const DiskThreads&) = delete;

  /// Runs `work` on one of them while the message waits, then `done` on the server's thread, unless the message is over by then.
  void run(SoupServerMessage* message, std::function<void()> work, std::function<void(SoupServerMessage*)> done);
  template <typename Result>
  void run(SoupServerMessage* message, std::function<Result()> work, std::function<void(SoupServerMessage*, Result&)> done) {
    const auto result = std::make_shared<Result>();
    run(message, [result, work = std::move(work)] { *result = work(); },
        [result, done = std::move(done)](SoupServerMessage* waiting) { done(waiting, *result); });
  }
  /// Runs `work` on one of them; nobody waits for it.
  void run(std::function<void()> work);

 private:
  struct Job;
  struct Pending;
  void start(std::unique_ptr<Job> job);

  GThreadPool* pool_;
  std::shared_ptr<Pending> pending_;
};

}  // namespace vitrine
