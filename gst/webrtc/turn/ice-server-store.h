// SPDX-License-Identifier: LGPL-2.1-or-later
// The STUN and TURN servers that hold right now, for us and for every viewer, whichever way they are learned.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/ref.h"
#include "webrtc/turn/rtc-config-file.h"
#include "webrtc/turn/turn-rest-client.h"
#include "webrtc/turn/turn-settings.h"

namespace vitrine {

/// Bound to the thread whose default context start() was called on; load() may be called on any before.
class IceServerStore {
 public:
  explicit IceServerStore(TurnSettings settings) : settings_(std::move(settings)) {}
  ~IceServerStore();
  IceServerStore(const IceServerStore&) = delete;
  IceServerStore& operator=(const IceServerStore&) = delete;

  /// Checks the settings and reads their files. False, with `error` naming the property.
  bool load(std::string& error);
  /// `changed` is called when viewers should be given other servers or credentials.
  void start(std::function<void()> changed);

  const TurnSettings& settings() const { return settings_; }
  /// Whether for_name() tells all that there is to tell: a service that is asked has answered.
  bool ready() const { return !rest_ || rest_->answered(); }
  /// Why the service that is asked gave nothing the last time; empty if it did.
  std::string problem() const { return rest_ ? rest_->problem() : ""; }
  /// `name` goes into time-limited user names, which TURN servers log.
  RtcConfiguration for_name(const std::string& name) const;

 private:
  void schedule_renewal();

  const TurnSettings settings_;
  RtcConfiguration from_file_;
  std::function<void()> changed_;
  std::unique_ptr<TurnRestClient> rest_;
  std::unique_ptr<RtcConfigFile> file_;
  Ref<GSource> renewal_;
};

}  // namespace vitrine
