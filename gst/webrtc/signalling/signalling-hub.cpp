// SPDX-License-Identifier: LGPL-2.1-or-later
// Lines of peers.
#include "webrtc/signalling/signalling-hub.h"

#include <algorithm>
#include <vector>

#include "webrtc/signalling/demo-line.h"

namespace vitrine {
namespace {

/// What follows `word` and a space; empty if `text` is another command.
std::string_view argument(std::string_view text, std::string_view word) {
  return text.size() > word.size() + 1 && text.starts_with(word) && text[word.size()] == ' ' ? text.substr(word.size() + 1) : "";
}

bool is_base64(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '=' || c == '-' || c == '_';
  });
}

}  // namespace

void SignallingHub::opened(Key key, int64_t now_us) {
  peers_.insert({key, Peer{"", "", "", 0, now_us, {limits_.lines_per_second, limits_.lines_burst}, {limits_.bytes_per_second, limits_.bytes_burst}}});
  if (peers_.size() > limits_.peers)
    expel(key, kTryLater, "too many peers");
}

void SignallingHub::text(Key key, std::string_view text, int64_t now_us) {
  const auto found = peers_.find(key);
  if (found == peers_.end())
    return;
  Peer& peer = found->second;
  if (!peer.lines.take(now_us) || !peer.bytes.take(now_us, static_cast<double>(text.size())))
    expel(key, kPolicyViolation, "too many messages");
  else if (peer.id.empty())
    hello(key, peer, text);
  else if (peer.partner != 0)
    out_.send(peer.partner, std::string(text));
  else if (!peer.room.empty())
    room_line(peer, text);
  else
    command(key, peer, text);
}

void SignallingHub::hello(Key key, Peer& peer, std::string_view text) {
  const std::string_view words = argument(text, "HELLO");
  const size_t space = words.find(' ');
  const std::string_view id = words.substr(0, space), meta = space == std::string_view::npos ? "" : words.substr(space + 1);
  if (words.empty() || meta.size() > kMetaMax || !is_base64(meta)) {
    expel(key, kProtocolError, "invalid protocol");
  } else if (!is_peer_id(id) || by_id_.contains(id)) {
    expel(key, kProtocolError, "invalid peer uid");
  } else {
    peer.id = id;
    peer.meta = meta;
    by_id_[peer.id] = key;
    out_.send(key, "HELLO");
  }
}

void SignallingHub::command(Key key, Peer& peer, std::string_view text) {
  if (const auto id = argument(text, "SESSION"); !id.empty())
    call(key, peer, std::string(id));
  else if (const auto room = argument(text, "ROOM"); !room.empty())
    enter_room(key, peer, std::string(room));
  else
    out_.send(key, "ERROR unknown command");
}

void SignallingHub::call(Key key, Peer& peer, const std::string& id) {
  const auto found = is_peer_id(id) ? by_id_.find(id) : by_id_.end();
  if (found == by_id_.end() || found->second == key) {
    out_.send(key, "ERROR peer '" + (is_peer_id(id) ? id : "") + "' not found");
    return;
  }
  Peer& callee = peers_.at(found->second);
  if (callee.partner != 0 || !callee.room.empty()) {
    out_.send(key, "ERROR peer '" + id + "' busy");
    return;
  }
  peer.partner = found->second;
  callee.partner = key;
  // The callee learns of it by the caller's first word. Plain clients compare the whole line.
  out_.send(key, callee.meta.empty() ? "SESSION_OK" : "SESSION_OK " + callee.meta);
}

std::string SignallingHub::others_in(const std::string& room, Key but) const {
  std::string list;
  for (const Key key : rooms_.at(room))
    if (key != but)
      list += " " + peers_.at(key).id;
  return list;
}

void SignallingHub::enter_room(Key key, Peer& peer, const std::string& room) {
  // In the demos' server "session" is how a session of two is kept.
  if (!is_peer_id(room) || room == "session") {
    out_.send(key, "ERROR invalid room id");
    return;
  }
  auto& inside = rooms_[room];
  if (inside.size() >= limits_.room_peers) {
    out_.send(key, "ERROR room is full");
    return;
  }
  inside.insert(key);
  peer.room = room;
  const std::string others = others_in(room, key);
  // With the space that follows the word in the demos' server, also in an empty room.
  out_.send(key, "ROOM_OK" + (others.empty() ? " " : others));
  for (const Key other : inside)
    if (other != key)
      out_.send(other, "ROOM_PEER_JOINED " + peer.id);
}

void SignallingHub::room_line(Peer& peer, std::string_view text) {
  const Key key = by_id_.at(peer.id);
  if (text == "ROOM_PEER_LIST") {
    const std::string others = others_in(peer.room, key);
    out_.send(key, "ROOM_PEER_LIST" + (others.empty() ? " " : others));
    return;
  }
  const auto words = argument(text, "ROOM_PEER_MSG");
  const size_t space = words.find(' ');
  if (space == std::string_view::npos || space == 0) {
    out_.send(key, "ERROR invalid msg, already in room");
    return;
  }
  const auto id = words.substr(0, space);
  const auto found = is_peer_id(id) ? by_id_.find(id) : by_id_.end();
  if (found == by_id_.end())
    out_.send(key, "ERROR peer '" + std::string(is_peer_id(id) ? id : "") + "' not found");
  else if (peers_.at(found->second).room != peer.room)
    out_.send(key, "ERROR peer '" + std::string(id) + "' is not in the room");
  else
    out_.send(found->second, "ROOM_PEER_MSG " + peer.id + " " + std::string(words.substr(space + 1)));
}

void SignallingHub::expel(Key key, int code, const std::string& reason) {
  leave(key);
  out_.close(key, code, reason);
}

void SignallingHub::closed(Key key) { leave(key); }

void SignallingHub::leave(Key key) {
  const auto found = peers_.find(key);
  if (found == peers_.end())
    return;
  const Peer peer = std::move(found->second);
  peers_.erase(found);
  if (!peer.id.empty())
    by_id_.erase(peer.id);
  if (const auto room = rooms_.find(peer.room); room != rooms_.end()) {
    room->second.erase(key);
    for (const Key other : room->second)
      out_.send(other, "ROOM_PEER_LEFT " + peer.id);
    if (room->second.empty())
      rooms_.erase(room);
  }
  // A session is over with one of its two; clients wait for their connection to end.
  if (const auto partner = peers_.find(peer.partner); partner != peers_.end()) {
    partner->second.partner = 0;
    expel(peer.partner, kGoingAway, "the peer is gone");
  }
}

void SignallingHub::tick(int64_t now_us) {
  std::vector<Key> late;
  for (const auto& [key, peer] : peers_)
    if (peer.id.empty() && now_us - peer.opened_us > limits_.hello_us)
      late.push_back(key);
  for (const Key key : late)
    expel(key, kPolicyViolation, "no HELLO");
}

size_t SignallingHub::sessions() const {
  return static_cast<size_t>(std::count_if(peers_.begin(), peers_.end(), [](const auto& entry) { return entry.second.partner != 0; })) / 2;
}

}  // namespace vitrine
