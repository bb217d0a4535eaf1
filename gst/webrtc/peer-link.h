// SPDX-License-Identifier: LGPL-2.1-or-later
// What callbacks of other threads hold of a peer.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "webrtc/peer.h"

namespace vitrine {

struct Peer::Link {
  Peer* peer;  // null once the peer is gone; only touched on the session's thread
  Ref<GMainContext> context;
  std::function<void(GBytes*)> input;
  TalkSink talk;
  std::atomic<bool> accepts_input{false};
  std::atomic<bool> picture_lost{false};  // and the session's thread has not heard of it yet

  static gpointer hold(const std::shared_ptr<Link>& link) { return new std::shared_ptr<Link>(link); }
  static void drop(gpointer data) { delete static_cast<std::shared_ptr<Link>*>(data); }
  static void drop_closure(gpointer data, GClosure*) { drop(data); }
  static std::shared_ptr<Link>& get(gpointer data) { return *static_cast<std::shared_ptr<Link>*>(data); }

  /// Runs a method of the peer on the session's thread, if it still lives then.
  void invoke(const std::shared_ptr<Link>& self, void (Peer::*method)()) {
    struct Call {
      std::shared_ptr<Link> link;
      void (Peer::*method)();
    };
    g_main_context_invoke_full(
        context.get(), G_PRIORITY_HIGH,
        [](gpointer data) -> gboolean {
          auto* call = static_cast<Call*>(data);
          if (call->link->peer)
            (call->link->peer->*call->method)();
          return G_SOURCE_REMOVE;
        },
        new Call{self, method}, [](gpointer data) { delete static_cast<Call*>(data); });
  }
};

}  // namespace vitrine
