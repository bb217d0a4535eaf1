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
  members_.push_back({peer, account, may_control, std::nullopt, std::nullopt});
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

void ControlHolder::succeed(const std::string& former, const std::string& peer) {
  const Member* member = find(peer);
  if (member && member->may_control && holder_ == former)
    give(peer);
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
  if (asking->asked_us)
    return Outcome::ignored;
  asking->asked_us = now_us;
  asking->due_us = now_us + kAnswerUs;
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
  for (auto& member : members_)
    if (member.asked_us && !member.due_us)
      member.due_us = now_us + kAnswerUs;
  const auto due = deadline();
  if (!due || now_us < *due)
    return false;
  give_to_next();
  return true;
}

std::optional<int64_t> ControlHolder::deadline() const {
  std::optional<int64_t> first;
  for (const auto& member : members_)
    if (member.asked_us && member.due_us && (!first || *member.due_us < *first))
      first = *member.due_us;
  return first;
}

std::vector<std::string> ControlHolder::asking() const {
  std::vector<const Member*> asking;
  for (const auto& member : members_)
    if (member.asked_us)
      asking.push_back(&member);
  std::stable_sort(asking.begin(), asking.end(),
                   [](const Member* a, const Member* b) { return *a->asked_us < *b->asked_us; });
  std::vector<std::string> peers;
  for (const Member* member : asking)
    peers.push_back(member->peer);
  return peers;
}

void ControlHolder::give(const std::string& peer) {
  holder_ = peer;
  for (auto& member : members_) {
    if (member.peer == peer)
      member.asked_us.reset();
    member.due_us.reset();  // the new holder has the whole time to answer those who still ask
  }
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
