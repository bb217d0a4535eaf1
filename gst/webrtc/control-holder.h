// SPDX-License-Identifier: LGPL-2.1-or-later
// Who holds control (docs/protocol.md, section 2). Pure: the caller brings the time and carries out what is decided.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vitrine {

class ControlHolder {
 public:
  static constexpr int64_t kAnswerUs = 10'000'000;  // without an answer control moves
  static constexpr int64_t kIdleUs = 10'000'000;    // a holder of the same account that idles this long is not asked

  enum class Outcome { ignored, granted, asked };

  void join(const std::string& peer, const std::string& account, bool may_control, int64_t now_us);
  void leave(const std::string& peer);
  /// `peer` is `former`, come back by another connection: what that held is its own now.
  void succeed(const std::string& former, const std::string& peer);
  /// `peer` wants control. `asked`: the holder has to be asked, poll() moves control when the answer stays away.
  Outcome request(const std::string& peer, int64_t now_us);
  void release(const std::string& peer);
  /// The holder's answer about `asking`.
  void answer(const std::string& holder, const std::string& asking, bool granted);
  /// The holder sent input.
  void active(int64_t now_us) { last_input_us_ = now_us; }
  /// Moves control when an answer is overdue. True if the holder changed. To be called every now and then while somebody asks.
  bool poll(int64_t now_us);
  /// Time of the next poll() that can change something.
  std::optional<int64_t> deadline() const;
  /// Who still waits for an answer, longest first. A new holder has to be told of them.
  std::vector<std::string> asking() const;

  const std::string& holder() const { return holder_; }

 private:
  struct Member {
    std::string peer, account;
    bool may_control;
    std::optional<int64_t> asked_us;
    std::optional<int64_t> due_us;  // when the holder's silence counts as yes; set by poll() after a hand-over
  };
  Member* find(const std::string& peer);
  void give(const std::string& peer);
  void give_to_next();

  std::vector<Member> members_;  // in the order of joining
  std::string holder_;           // empty: nobody
  int64_t last_input_us_ = 0;
};

}  // namespace vitrine
