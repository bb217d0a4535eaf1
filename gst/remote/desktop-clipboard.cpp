// SPDX-License-Identifier: LGPL-2.1-or-later
// The thread of x11desktop: its clipboard, its pointer, and what is due when.
#include <algorithm>

#include "common/json-object.h"
#include "remote/desktop-session.h"

namespace vitrine {
namespace {

/// Programs that copy often, or take a selection several times over, are read once.
constexpr int64_t kSettleUs = 20'000, kReadEveryUs = 200'000;
/// Without an acknowledgement, or the next piece.
constexpr int64_t kTransferPatienceUs = 15'000'000;
constexpr int64_t kCursorEveryUs = 16'000, kPointerEveryUs = 33'000;

}  // namespace

void DesktopSession::schedule_read(int64_t now_us) { read_us_ = std::max(now_us + kSettleUs, last_read_us_ + kReadEveryUs); }

// ---- from the viewer ----

void DesktopSession::refuse_clipboard(uint32_t id, const char* reason) {
  ++counters_.clipboard_refused;
  refuse(std::string("clipboard refused: ") + reason);
  to_holder("desktop/clipboard-refused", ",\"id\":" + std::to_string(id) + ",\"reason\":\"" + reason + "\"");
}

void DesktopSession::clipboard_result(TransferReceiver::Result result, uint32_t id) {
  switch (result) {
    case TransferReceiver::Result::ignored:
      return;
    case TransferReceiver::Result::too_large:
      refuse_clipboard(id, "too-large");
      return;
    case TransferReceiver::Result::malformed:
      refuse_clipboard(id, "malformed");
      return;
    case TransferReceiver::Result::progress:
      break;
    case TransferReceiver::Result::complete: {
      ClipboardContent content = receiver_.take();
      if (!content_valid(content)) {
        refuse_clipboard(id, "format");
        return;
      }
      ++counters_.clipboard_in;
      sender_.reset();  // what the desktop had is not on the clipboard any more
      content_ = std::make_shared<const ClipboardContent>(std::move(content));
      owner_->offer(content_);
      break;
    }
  }
  to_holder("desktop/clipboard-ack", ",\"id\":" + std::to_string(id) + ",\"received\":" + std::to_string(receiver_.received()));
}

void DesktopSession::handle(const ClipboardBegin& begin, int64_t now_us) {
  if (!takes())
    refuse_clipboard(begin.id, "off");
  else
    clipboard_result(receiver_.begin(begin, settings_.clipboard_limit, now_us), begin.id);
}

void DesktopSession::handle(const ClipboardData& data, int64_t now_us) { clipboard_result(receiver_.data(data, now_us), data.id); }

// ---- to the viewer ----

void DesktopSession::send_clipboard(int64_t now_us) {
  if (holder_.empty() || !content_)
    return;
  sender_ = std::make_unique<TransferSender>(next_id_++, content_, now_us);
  host_.send(sender_->begin(holder_));
  ++counters_.clipboard_out;
}

void DesktopSession::send_chunks(int64_t now_us) {
  while (sender_) {
    const auto message = sender_->next(holder_, now_us);
    if (!message)
      break;
    host_.send(*message);
  }
  if (sender_ && (sender_->complete() || now_us - sender_->last_us() > kTransferPatienceUs))
    sender_.reset();
}

// ---- pointer ----

void DesktopSession::send_cursor(int64_t now_us) {
  auto shape = cursor_->take_shape();
  if (!shape)
    return;
  const bool same = shape_ && shape_->id() == shape->id();
  shape_ = std::move(shape);
  if (same)
    return;
  cursor_sent_us_ = now_us;
  ++counters_.cursor_changes;
  const bool full = !shape_->blank() && cursor_cache_.must_send(shape_->id());
  if (full)
    ++counters_.cursor_shapes;
  host_.send(cursor_message(*shape_, full));
}

/// For those who watch: the holder's own pointer is where it is.
void DesktopSession::send_pointer(int64_t now_us) {
  pointer_sent_us_ = now_us;
  int x, y;
  if (!cursor_->take_place(&x, &y))
    return;
  host_.send("{\"type\":\"desktop/pointer\",\"x\":" + std::to_string(x) + ",\"y\":" + std::to_string(y) + ",\"width\":" +
             std::to_string(width_) + ",\"height\":" + std::to_string(height_) + "}");
}

// ---- deadlines ----

void DesktopSession::due(int64_t now_us) {
  if (now_us >= read_us_) {
    read_us_ = INT64_MAX;
    last_read_us_ = now_us;
    reader_->start(changed_selection_, changed_time_, now_us);
  }
  if (reader_)
    reader_->tick(now_us);
  if (owner_)
    owner_->tick(now_us);
  if (receiver_.active() && now_us - receiver_.last_us() > kTransferPatienceUs) {
    ++counters_.clipboard_timeouts;
    receiver_.drop();
    refuse_clipboard(receiver_.id(), "timeout");
  }
  send_chunks(now_us);
  if (cursor_ && cursor_->shape_changed() && now_us - cursor_sent_us_ >= kCursorEveryUs)
    send_cursor(now_us);
  if (cursor_ && cursor_->moved() && watched() && now_us - pointer_sent_us_ >= kPointerEveryUs)
    send_pointer(now_us);
  if (wish_ && now_us - resized_us_ >= kResizeUs)
    resize(now_us);
}

int DesktopSession::wait_ms(int64_t now_us) const {
  int64_t first = read_us_;
  const auto at = [&first](int64_t due_us) { first = std::min(first, due_us); };
  if (reader_)
    at(reader_->deadline_us());
  if (owner_)
    at(owner_->deadline_us());
  if (receiver_.active())
    at(receiver_.last_us() + kTransferPatienceUs + 1);
  if (sender_)
    at(sender_->last_us() + kTransferPatienceUs + 1);
  if (cursor_ && cursor_->shape_changed())
    at(cursor_sent_us_ + kCursorEveryUs);
  if (cursor_ && cursor_->moved() && watched())
    at(pointer_sent_us_ + kPointerEveryUs);
  if (wish_)
    at(resized_us_ + kResizeUs);
  if (first == INT64_MAX)
    return -1;
  return static_cast<int>(std::clamp<int64_t>((first - now_us + 999) / 1000, 0, 60'000));
}

}  // namespace vitrine
