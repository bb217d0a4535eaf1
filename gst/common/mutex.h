// SPDX-License-Identifier: LGPL-2.1-or-later
// Mutex and condition variable that clang's -Wthread-safety can follow; std::mutex alone is invisible to it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define VITRINE_TSA(x) __attribute__((x))
#else
#define VITRINE_TSA(x)
#endif

#define CAPABILITY(x) VITRINE_TSA(capability(x))
#define SCOPED_CAPABILITY VITRINE_TSA(scoped_lockable)
#define GUARDED_BY(x) VITRINE_TSA(guarded_by(x))
#define PT_GUARDED_BY(x) VITRINE_TSA(pt_guarded_by(x))
#define REQUIRES(...) VITRINE_TSA(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) VITRINE_TSA(acquire_capability(__VA_ARGS__))
#define RELEASE(...) VITRINE_TSA(release_capability(__VA_ARGS__))
#define EXCLUDES(...) VITRINE_TSA(locks_excluded(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS VITRINE_TSA(no_thread_safety_analysis)

namespace vitrine {

class CAPABILITY("mutex") Mutex {
 public:
  void lock() ACQUIRE() { mutex_.lock(); }
  void unlock() RELEASE() { mutex_.unlock(); }

 private:
  friend class Condition;
  std::mutex mutex_;
};

/// Holds a Mutex for a scope; unlock() and lock() open a gap in it for calls that must not happen under the lock.
class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() RELEASE() {
    if (held_)
      mutex_.unlock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;
  void unlock() RELEASE() {
    held_ = false;
    mutex_.unlock();
  }
  void lock() ACQUIRE() {
    mutex_.lock();
    held_ = true;
  }

 private:
  Mutex& mutex_;
  bool held_ = true;
};

class Condition {
 public:
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }
  void wait(Mutex& mutex) REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  /// Returns false when `deadline` passed first.
  bool wait_until(Mutex& mutex, std::chrono::steady_clock::time_point deadline) REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const bool signalled = condition_.wait_until(lock, deadline) == std::cv_status::no_timeout;
    lock.release();
    return signalled;
  }

 private:
  std::condition_variable condition_;
};

}  // namespace vitrine
