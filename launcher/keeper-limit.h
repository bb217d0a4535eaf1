// SPDX-License-Identifier: LGPL-2.1-or-later
// The keeper's judgement: how often to try again, which candidate next, and whether an encoder still works. Pure: no clock of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace vitrine {

/// How often something may be started anew. Restarts are a stock that only working time renews, so that what dies at once each time
/// comes to an end, and what dies now and then never does. The smaller the stock, the longer the wait.
class RestartLimit {
 public:
  /// `burst` restarts are in stock; each `earn_us` of work gives one back. The first two are free of delay, then it doubles from
  /// `first_delay_us` to `most_delay_us`.
  RestartLimit(int burst, int64_t earn_us, int64_t first_delay_us, int64_t most_delay_us)
      : burst_(burst), earn_us_(earn_us), first_delay_us_(first_delay_us), most_delay_us_(most_delay_us) {}

  /// A restart is wanted after `worked_us` of work. How long to wait first, in µs; nothing if the stock is empty.
  std::optional<int64_t> take(int64_t worked_us);

 private:
  const int burst_;
  const int64_t earn_us_, first_delay_us_, most_delay_us_;
  int64_t owed_us_ = 0;  // work that would fill the stock
};

/// Which of several candidates, best first, to use. One that failed rests: a minute, then ten times as long each time, a day at most.
class CandidateChoice {
 public:
  explicit CandidateChoice(size_t count) : candidates_(count) {}

  size_t count() const { return candidates_.size(); }
  void add() { candidates_.emplace_back(); }
  /// What is known of one of `from` holds for one of ours.
  void inherit(size_t candidate, const CandidateChoice& from, size_t theirs) { candidates_.at(candidate) = from.candidates_.at(theirs); }
  void failed(size_t candidate, int64_t now_us);
  /// The best that does not rest; if all do, the one that failed longest ago.
  size_t best(int64_t now_us) const;

 private:
  struct Candidate {
    int64_t failed_us = 0, rest_us = 0;  // rest 0: has never failed
  };
  std::vector<Candidate> candidates_;
};

/// What is seen of an encoder from outside.
struct EncoderTraffic {
  uint64_t in = 0, out = 0;     // frames given to it, access units that came out
  int64_t entered_us = 0;       // when the frame that it is busy with was given to it; 0 if it is not busy
  int64_t longest_us = 0;       // the longest that it was busy with one frame since the last look
};

/// Judges an encoder by its traffic. Time in which we were not run ourselves (a suspended machine, a stopped process) does not count.
class EncoderWatch {
 public:
  enum class Verdict { well, hung, stalled };

  /// How long a frame may take once frames have come out, if none took much longer before; and the first frame.
  static constexpr int64_t kPatienceUs = 500'000, kFirstPatienceUs = 5'000'000;
  /// A frame may take this many times as long as the longest that came out.
  static constexpr int kTimesLongest = 10;
  /// Frames that an encoder may hold back. Beyond these, silence is a stall.
  static constexpr uint64_t kHeld = 4;
  /// Of the time between two looks so much counts at most.
  static constexpr int64_t kLookUs = 200'000;

  /// To be called about every 100 ms.
  Verdict look(const EncoderTraffic& traffic, int64_t now_us);
  /// How long it has been waited for, of which each verdict says that it was too long.
  int64_t waited_us() const { return busy_us_ > silent_us_ ? busy_us_ : silent_us_; }

 private:
  int64_t patience(const EncoderTraffic& traffic) const;

  int64_t looked_us_ = 0, busy_us_ = 0, silent_us_ = 0, entered_us_ = 0, longest_us_ = 0;
  uint64_t out_ = 0, in_at_out_ = 0;
};

}  // namespace vitrine
