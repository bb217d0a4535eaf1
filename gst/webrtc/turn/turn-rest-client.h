// SPDX-License-Identifier: LGPL-2.1-or-later
// Fetches an RTC configuration from a service ("TURN REST"), keeps it for three quarters of its lifetime, tries again with back-off.
#pragma once

#include <libsoup/soup.h>

#include <functional>
#include <optional>
#include <string>

#include "common/ref.h"
#include "webrtc/turn/turn-settings.h"

namespace vitrine {

/// The address to ask: `uri` without user and password, with the parameters service, username, protocol and tls that it does not have
/// yet. Nothing if it is no http: or https: address.
std::optional<std::string> turn_rest_address(const TurnSettings& settings);

/// Bound to the thread whose default context it was made on.
class TurnRestClient {
 public:
  static constexpr int64_t kBackoffFirstS = 1, kBackoffMostS = 60;
  static constexpr unsigned kTimeoutS = 5;

  /// `changed` is called when there is a first or another configuration, or when the last one has expired and there is none.
  TurnRestClient(const TurnSettings& settings, std::function<void()> changed);
  ~TurnRestClient();
  TurnRestClient(const TurnRestClient&) = delete;
  TurnRestClient& operator=(const TurnRestClient&) = delete;

  /// Whether it was given a configuration, ever.
  bool answered() const { return answered_; }
  /// Why the last attempt failed; empty if it did not, or is under way for the first time. No secrets.
  const std::string& problem() const { return problem_; }
  /// The last answer that has not expired; its lifetime is what remains of it.
  RtcConfiguration configuration(int64_t now_us) const;

 private:
  void fetch();
  void take(const std::string& body, unsigned status);
  void failed(const std::string& why);
  void again_in(int64_t seconds);
  static void on_sent(GObject* session, GAsyncResult* result, gpointer self);
  static void on_read(GObject* stream, GAsyncResult* result, gpointer self);

  const TurnSettings settings_;
  const std::function<void()> changed_;
  std::string authorization_;
  Ref<SoupSession> session_;
  Ref<SoupMessage> message_;
  Ref<GCancellable> cancel_;
  Ref<GSource> timer_;
  std::string body_;
  RtcConfiguration configuration_;
  std::string problem_;
  bool answered_ = false;
  int64_t expires_us_ = 0;  // 0: never
  int64_t backoff_s_ = kBackoffFirstS;
};

}  // namespace vitrine
