// SPDX-License-Identifier: LGPL-2.1-or-later
// One player's session: a request that waits for its answer, then candidates that come by further ones.
#pragma once

#include <libsoup/soup.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/ref.h"
#include "webrtc/viewer-channel.h"
#include "webrtc/whep/whep-request.h"

namespace vitrine {

/// Bound to the session's thread; kept by the service and by the viewer's channel.
class WhepSession : public std::enable_shared_from_this<WhepSession> {
 public:
  /// That servers of ours take to find all candidates; what comes later is left out.
  static constexpr guint kGatherMs = 2000;

  /// `links` are the ICE servers' for the answer; `ended` is called once, when nobody has the session any more.
  WhepSession(std::string id, std::string account, std::vector<std::string> links, std::function<void(const WhepSession&)> ended);
  ~WhepSession();
  WhepSession(const WhepSession&) = delete;
  WhepSession& operator=(const WhepSession&) = delete;

  /// What the viewer gets.
  std::unique_ptr<ViewerChannel> channel();
  /// The request waits for its answer from now on. To be called first.
  void wait(SoupServerMessage* message);
  /// Shows the viewer, which has the channel by now, the offer.
  void offer(const std::string& sdp);
  /// The player ends it.
  void end();
  void add(const IceFragment& fragment);

  const std::string& id() const { return id_; }
  const std::string& account() const { return account_; }
  const std::string& tag() const { return tag_; }
  const std::string& ufrag() const { return ufrag_; }
  /// The player has got an answer, not a refusal.
  bool answered() const { return answered_; }

 private:
  class Channel;
  void on_server_text(const std::string& json);
  void on_channel_closed();
  void answer();
  void refuse(unsigned status, const std::string& why);
  /// The request goes on with its answer.
  void let_go();
  void stop_timer();
  void leave();

  const std::string id_, account_, tag_;
  const std::vector<std::string> links_;
  const std::function<void(const WhepSession&)> ended_;
  ViewerChannel::Handlers viewer_;
  bool over_ = false, answered_ = false, gathered_ = false;
  Ref<SoupServerMessage> message_;  // while it waits
  gulong watches_[2] = {};
  Ref<GSource> timer_;
  std::string ufrag_, sdp_;
  std::vector<std::string> candidates_;
};

}  // namespace vitrine
