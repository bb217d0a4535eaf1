// SPDX-License-Identifier: LGPL-2.1-or-later
// Cutting and joining of clipboard contents.
#include "remote/clipboard-transfer.h"

#include <glib.h>

#include <algorithm>

#include "common/json-object.h"

namespace vitrine {
namespace {

constexpr int64_t kLateUs = 60'000;

bool known(const std::string& type) { return type == kTextType || type == kHtmlType || type == kPngType; }

}  // namespace

uint64_t content_size(const ClipboardContent& content) {
  uint64_t size = 0;
  for (const auto& item : content)
    size += item.data.size();
  return size;
}

bool content_valid(const ClipboardContent& content) {
  return std::all_of(content.begin(), content.end(), [](const ClipboardItem& item) {
    if (item.type == kPngType)
      return item.data.starts_with("\x89PNG\r\n\x1a\n");
    return g_utf8_validate(item.data.data(), static_cast<gssize>(item.data.size()), nullptr) != FALSE;
  });
}

TransferReceiver::Result TransferReceiver::begin(const ClipboardBegin& begin, uint64_t limit, int64_t now_us) {
  drop();
  sizes_.clear();
  received_ = total_ = 0;
  id_ = begin.id;
  last_us_ = now_us;
  for (const auto& [type, size] : begin.items) {
    const bool twice = std::any_of(content_.begin(), content_.end(), [&](const ClipboardItem& item) { return item.type == type; });
    if (!known(type) || twice)
      return Result::malformed;
    if (size > limit - total_)
      return Result::too_large;
    content_.push_back({type, {}});
    sizes_.push_back(size);
    total_ += size;
  }
  active_ = true;
  return total_ == 0 ? Result::complete : Result::progress;
}

TransferReceiver::Result TransferReceiver::data(const ClipboardData& data, int64_t now_us) {
  if (!active_ || data.id != id_)
    return Result::ignored;
  if (data.offset != received_ || data.bytes.size() > total_ - received_) {
    drop();
    return Result::malformed;
  }
  last_us_ = now_us;
  size_t at = 0;
  for (size_t i = 0; i < content_.size() && at < data.bytes.size(); ++i) {
    std::string& item = content_[i].data;
    const size_t part = std::min<size_t>(sizes_[i] - item.size(), data.bytes.size() - at);
    item.append(data.bytes, at, part);
    at += part;
  }
  received_ += data.bytes.size();
  return received_ == total_ ? Result::complete : Result::progress;
}

ClipboardContent TransferReceiver::take() {
  active_ = false;
  return std::exchange(content_, {});
}

TransferSender::TransferSender(uint32_t id, std::shared_ptr<const ClipboardContent> content, int64_t now_us)
    : id_(id), content_(std::move(content)), total_(content_size(*content_)), last_us_(now_us) {}

std::string TransferSender::begin(const std::string& to) const {
  std::string items;
  for (const auto& item : *content_)
    items += (items.empty() ? "" : ",") + ("{\"type\":" + json_string(item.type)) + ",\"size\":" + std::to_string(item.data.size()) + "}";
  return "{\"type\":\"desktop/clipboard\",\"to\":" + json_string(to) + ",\"id\":" + std::to_string(id_) + ",\"items\":[" + items + "]}";
}

std::string TransferSender::slice(uint64_t from, size_t size) const {
  std::string out;
  for (const auto& item : *content_) {
    if (from < item.data.size()) {
      const auto part = std::min<uint64_t>(size - out.size(), item.data.size() - from);
      out.append(item.data, from, part);
      from = 0;
    } else {
      from -= item.data.size();
    }
    if (out.size() == size)
      break;
  }
  return out;
}

std::optional<std::string> TransferSender::next(const std::string& to, int64_t now_us) {
  if (sent_ == total_ || static_cast<double>(under_way_.size()) >= window_)
    return std::nullopt;
  const std::string bytes = slice(sent_, std::min<uint64_t>(kChunk, total_ - sent_));
  gchar* base64 = g_base64_encode(reinterpret_cast<const guchar*>(bytes.data()), bytes.size());
  std::string message = "{\"type\":\"desktop/clipboard-data\",\"to\":" + json_string(to) + ",\"id\":" + std::to_string(id_) +
                        ",\"offset\":" + std::to_string(sent_) + ",\"data\":\"" + base64 + "\"}";
  g_free(base64);
  sent_ += bytes.size();
  under_way_.push_back({sent_, now_us});
  return message;
}

bool TransferSender::ack(uint64_t received, int64_t now_us) {
  if (received < acked_ || received > sent_)
    return false;
  last_us_ = now_us;
  acked_ = received;
  while (!under_way_.empty() && under_way_.front().end <= received) {
    const Sent sent = under_way_.front();
    under_way_.pop_front();
    const int64_t took_us = now_us - sent.at_us;
    least_us_ = std::min(least_us_, took_us);
    if (took_us > 2 * least_us_ + kLateUs) {
      starting_ = false;
      // Once per window: what was under way then is late for the same reason.
      if (sent.end > slow_until_) {
        window_ = std::max(1.0, window_ / 2);
        slow_until_ = sent_;
      }
    } else {
      window_ = std::min(kWindowMost, window_ + (starting_ ? 1 : 1 / window_));
    }
  }
  return true;
}

}  // namespace vitrine
