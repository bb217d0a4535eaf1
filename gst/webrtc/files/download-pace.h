// SPDX-License-Identifier: LGPL-2.1-or-later
// The connections by which files are fetched, each no faster than the path to its viewer allows beside the picture.
#pragma once

#include <gio/gio.h>

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/ref.h"
#include "webrtc/files/download-rate.h"

namespace vitrine {

/// What a viewer's path has told.
struct PathFacts {
  std::string address;  // IP
  int64_t queue_us = 0;
  uint64_t feedback = 0;
};

/// Bound to the thread of its server.
class DownloadPace {
 public:
  /// A file is fetched from `address` by this connection, for as long as the returned one is held. Without a socket nothing can be done about it.
  std::shared_ptr<void> enter(GSocket* socket, const std::string& address);
  /// Every 50 ms or so, with all viewers whose paths tell something.
  void tick(int64_t now_us, const std::vector<PathFacts>& paths);

 private:
  struct Fetch {
    Ref<GSocket> socket;
    std::string address;
    unsigned rate = 0;
    uint64_t acked = 0;
    double arriving = 0;  // bytes per second of late
  };
  void measure(int64_t now_us);
  void apply();

  const std::shared_ptr<std::list<Fetch>> fetches_ = std::make_shared<std::list<Fetch>>();
  std::map<std::string, DownloadRate> rates_;  // by address
  int64_t measured_us_ = 0;
};

}  // namespace vitrine
