// SPDX-License-Identifier: LGPL-2.1-or-later
// Clipboard contents cut into messages, and put together again (docs/protocol.md, section 7). Pure: the caller brings the time.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "remote/desktop-message.h"

namespace vitrine {

constexpr char kTextType[] = "text/plain", kHtmlType[] = "text/html", kPngType[] = "image/png";

struct ClipboardItem {
  std::string type;  // one of the three above
  std::string data;  // text is UTF-8
  bool operator==(const ClipboardItem&) const = default;
};
/// One thing that was copied, in one to three forms, each type once.
using ClipboardContent = std::vector<ClipboardItem>;

uint64_t content_size(const ClipboardContent& content);
/// Whether all texts are UTF-8 and all pictures begin like PNG files.
bool content_valid(const ClipboardContent& content);

/// Puts a transfer together. Never holds more than the limit, whatever was announced.
class TransferReceiver {
 public:
  enum class Result { progress, complete, too_large, malformed, ignored };

  /// A transfer that was not complete is dropped.
  Result begin(const ClipboardBegin& begin, uint64_t limit, int64_t now_us);
  /// `ignored`: of another transfer than the one begun last.
  Result data(const ClipboardData& data, int64_t now_us);
  void drop() { active_ = false; content_.clear(); }
  bool active() const { return active_; }
  uint32_t id() const { return id_; }
  uint64_t received() const { return received_; }
  int64_t last_us() const { return last_us_; }
  /// After `complete`.
  ClipboardContent take();

 private:
  bool active_ = false;
  uint32_t id_ = 0;
  uint64_t received_ = 0, total_ = 0;
  int64_t last_us_ = 0;
  std::vector<uint64_t> sizes_;
  ClipboardContent content_;
};

/// Sends a transfer: never more under way than the path carries without delaying what shares it. The window grows while
/// acknowledgements come at once and is halved when they come late.
class TransferSender {
 public:
  static constexpr size_t kChunk = 32 * 1024;
  static constexpr double kWindowFirst = 2, kWindowMost = 16;  // chunks

  TransferSender(uint32_t id, std::shared_ptr<const ClipboardContent> content, int64_t now_us);
  /// The message that begins it; `to` is a viewer.
  std::string begin(const std::string& to) const;
  /// The next data message that may go now.
  std::optional<std::string> next(const std::string& to, int64_t now_us);
  /// False if that cannot be.
  bool ack(uint64_t received, int64_t now_us);
  bool complete() const { return acked_ == total_; }
  uint32_t id() const { return id_; }
  int64_t last_us() const { return last_us_; }
  double window() const { return window_; }

 private:
  struct Sent {
    uint64_t end;
    int64_t at_us;
  };
  std::string slice(uint64_t from, size_t size) const;
  const uint32_t id_;
  const std::shared_ptr<const ClipboardContent> content_;
  const uint64_t total_;
  uint64_t sent_ = 0, acked_ = 0, slow_until_ = 0;
  int64_t last_us_;
  int64_t least_us_ = INT64_MAX;  // shortest time to an acknowledgement
  double window_ = kWindowFirst;
  bool starting_ = true;
  std::deque<Sent> under_way_;
};

}  // namespace vitrine
