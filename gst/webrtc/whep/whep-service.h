// SPDX-License-Identifier: LGPL-2.1-or-later
// WHEP: plain players watch by one HTTP request (docs/whep.md). Who asks is known already; what may be asked is decided here.
#pragma once

#include <libsoup/soup.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "webrtc/origins.h"
#include "webrtc/token-bucket.h"
#include "webrtc/viewer-request.h"
#include "webrtc/whep/whep-session.h"

namespace vitrine {

struct WhepHandlers {
  std::function<void(std::unique_ptr<ViewerChannel>, const ViewerRequest&)> add_viewer;
  /// For an account.
  std::function<RtcConfiguration(const std::string& account)> ice_servers;
};

struct WhepStatistics {
  size_t sessions = 0;
  uint64_t sessions_total = 0, refused_total = 0;
};

/// Bound to the thread of its server.
class WhepService {
 public:
  static constexpr double kOffersPerSecond = 5, kOffersAtOnce = 20;
  static constexpr double kPatchesPerSecond = 50, kPatchesAtOnce = 200;

  /// `allowed_origins`: other sites whose pages may watch.
  WhepService(AllowedOrigins allowed_origins, WhepHandlers handlers);
  ~WhepService();
  WhepService(const WhepService&) = delete;
  WhepService& operator=(const WhepService&) = delete;

  /// Before anybody has been asked who he is: says which pages may read the answer, and answers what browsers ask first (OPTIONS). False
  /// if the request has its answer. `own`: the page is of the host that was asked.
  bool greet(SoupServerMessage* message, const WhepPath& path, bool own);
  /// Once it is known who asks, before the body is read.
  void check(SoupServerMessage* message, const WhepPath& path);
  /// The rest of a request that check() let pass.
  void serve(SoupServerMessage* message, const WhepPath& path, const ViewerRequest& request);
  WhepStatistics statistics() const;

 private:
  void refuse(SoupServerMessage* message, unsigned status, const std::string& why);
  void begin(SoupServerMessage* message, ViewerRequest request, const std::string& sdp);
  void trickle(SoupServerMessage* message, WhepSession& session, const std::string& text);

  const AllowedOrigins allowed_origins_;
  const WhepHandlers handlers_;
  std::map<std::string, std::shared_ptr<WhepSession>> sessions_;
  TokenBucket offers_{kOffersPerSecond, kOffersAtOnce}, patches_{kPatchesPerSecond, kPatchesAtOnce};
  uint64_t total_ = 0, refused_ = 0;
};

}  // namespace vitrine
