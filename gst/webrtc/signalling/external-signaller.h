// SPDX-License-Identifier: LGPL-2.1-or-later
// One registration at an external signalling server: comes back when it is lost, calls or waits to be called, and makes viewers of peers.
#pragma once

#include <libsoup/soup.h>

#include <functional>
#include <memory>
#include <string>

#include "common/ref.h"
#include "webrtc/http-server.h"
#include "webrtc/signalling/demo-dialect.h"
#include "webrtc/signalling/signaller-settings.h"
#include "webrtc/token-bucket.h"
#include "webrtc/viewer-channel.h"

namespace vitrine {

/// Bound to the thread whose default context it was made on. The server has to know one peer at a time with one id, so each
/// registration has one viewer at a time.
class ExternalSignaller {
 public:
  static constexpr int64_t kBackoffFirstMs = 500, kBackoffMostMs = 30'000;
  static constexpr int64_t kAfterCallMs = 200;     // until we register again after a viewer
  static constexpr int64_t kCallAgainMs = 2000;    // while the peer that we call is not there
  static constexpr int64_t kShortCallUs = 2'000'000;
  static constexpr unsigned kGreetingS = 10;       // for the server to greet
  static constexpr unsigned kPingS = 10, kSilentS = 35;
  static constexpr double kLinesPerSecond = 200, kLinesBurst = 400;

  using AddViewer = std::function<void(std::unique_ptr<ViewerChannel> channel, const ViewerRequest& request)>;
  ExternalSignaller(const SignallerSettings& settings, SignallerPlace place, AddViewer add_viewer);
  ~ExternalSignaller();
  ExternalSignaller(const ExternalSignaller&) = delete;
  ExternalSignaller& operator=(const ExternalSignaller&) = delete;

  const std::string& id() const { return place_.id; }
  bool registered() const { return state_ == State::registered || state_ == State::in_call; }

 private:
  enum class State { away, connecting, greeting, registered, in_call };
  class Call;

  void connect();
  void on_connected(Ref<SoupWebsocketConnection> connection);
  void say(const std::string& text);
  void on_text(std::string_view text);
  void on_registered_line(const SignallingLine& line, std::string_view text);
  void call_peer();
  void begin_call();
  void pass_on(const SignallingLine& line, std::string_view text);
  /// Gives the connection up, and registers again after `ms`.
  void drop(const std::string& why, int64_t ms);
  void failed(const std::string& why);
  void after(int64_t ms, void (ExternalSignaller::*method)());
  void stop_waiting();
  void check_life();
  void let_go();

  const SignallerSettings settings_;
  const SignallerPlace place_;
  const AddViewer add_viewer_;
  Ref<SoupSession> session_;
  Ref<SoupWebsocketConnection> connection_;
  Ref<GCancellable> cancel_;
  Ref<GSource> timer_;
  gulong handlers_[3] = {0, 0, 0};
  State state_ = State::away;
  int64_t backoff_ms_ = kBackoffFirstMs, registered_us_ = 0, heard_us_ = 0;
  TokenBucket lines_{kLinesPerSecond, kLinesBurst};
  DemoDialect dialect_;
  Call* call_ = nullptr;  // owned by its viewer
};

}  // namespace vitrine
