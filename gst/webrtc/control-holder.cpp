// SPDX-License-Identifier: LGPL-2.1-or-later
// Handing control from viewer to viewer.
#include "webrtc/control-holder.h"

#include <algorithm>

namespace vitrine {

ControlHolder::Member* ControlHolder::find(const std::string& peer) {
  auto found = std::find_if(members_.begin(), members_.end(), [&](const Member& m) { return m.peer == peer; });
  return found == members_.end() ? nullptr : &*found;
}

void ControlHolder::join(const std::string& peer, const std::string& account, bool may_control, int64_t now_us) {
  members_.push_back({peer, account, may_control, std::nullopt});
  if (may_control && holder_.empty()) {
    give(peer);
    last_input_us_ = now_us;
  }
}

void ControlHolder::leave(const std::string& peer) {
  std::erase_if(members_, [&](const Member& m) { return m.peer == peer; });
  if (holder_ == peer)
    give_to_next();
}

ControlHolder::Outcome ControlHolder::request(const std::string& peer, int64_t now_us) {
  Member* asking = find(peer);
  if (!asking || !asking->may_control || holder_ == peer)
    return Outcome::ignored;
  const Member* holding = find(holder_);
  if (!holding || (holding->account == asking->account && now_us - last_input_us_ >= kIdleUs)) {
    give(peer);
    last_input_us_ = now_us;
    return Outcome::granted;
  }
  if (!asking->asked_us)
    asking->asked_us = now_us;
  return Outcome::asked;
}

void ControlHolder::release(const std::string& peer) {
  if (holder_ != peer)
    return;
  const bool somebody_asks =
      std::any_of(members_.begin(), members_.end(), [](const Member& m) { return m.asked_us.has_value(); });
  if (somebody_asks)
    give_to_next();
  else
    holder_.clear();
}

void ControlHolder::answer(const std::string& holder, const std::string& asking, bool granted) {
  Member* member = find(asking);
  if (holder_ != holder || !member || !member->asked_us)
    return;
  if (granted)
    give(asking);
  else
    member->asked_us.reset();
}

bool ControlHolder::poll(int64_t now_us) {
  const auto due = deadline();
  if (!due || now_us < *due)
    return false;
  give_to_next();
  return true;
}

std::optional<int64_t> ControlHolder::deadline() const {
  std::optional<int64_t> first;
  for (const auto& member : members_)
    if (member.asked_us && (!first || *member.asked_us + kAnswerUs < *first))
      first = *member.asked_us + kAnswerUs;
  return first;
}

void ControlHolder::give(const std::string& peer) {
  holder_ = peer;
  if (Member* member = find(peer))
    member->asked_us.reset();
}

void ControlHolder::give_to_next() {
  const Member* next = nullptr;
  for (const auto& member : members_)
    if (member.asked_us && (!next || *member.asked_us < *next->asked_us))
      next = &member;
  for (const auto& member : members_)
    if (!next && member.may_control && member.peer != holder_)
      next = &member;
  if (next)
    give(std::string(next->peer));
  else
    holder_.clear();
}

}  // namespace vitrine
