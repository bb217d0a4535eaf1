// SPDX-License-Identifier: LGPL-2.1-or-later
// An RTC configuration in a file, taken over live. Looks once per second: that also sees network file systems and the links that
// Kubernetes changes.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>

#include "common/ref.h"
#include "webrtc/turn/rtc-configuration.h"

namespace vitrine {

/// Reads one. False, with `error` naming the file, if it cannot be read or used.
bool read_rtc_config_file(const std::string& path, RtcConfiguration& configuration, std::string& error);

/// Bound to the thread whose default context it was made on.
class RtcConfigFile {
 public:
  static constexpr guint kLookMs = 1000;

  /// `changed` is called when another good configuration is there; a broken file keeps the last good one.
  RtcConfigFile(std::string path, RtcConfiguration first, std::function<void()> changed);
  ~RtcConfigFile();
  RtcConfigFile(const RtcConfigFile&) = delete;
  RtcConfigFile& operator=(const RtcConfigFile&) = delete;

  const RtcConfiguration& configuration() const { return configuration_; }

 private:
  void look();

  const std::string path_;
  const std::function<void()> changed_;
  RtcConfiguration configuration_;
  struct stat seen_ {};
  Ref<GSource> timer_;
};

}  // namespace vitrine
