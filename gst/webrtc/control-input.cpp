// SPDX-License-Identifier: LGPL-2.1-or-later
// Input towards the desktop.
#include "webrtc/control-input.h"

#include <algorithm>

namespace vitrine {
namespace {

/// A key or button that goes down, or the wheel: what users wait to see the effect of. Pointers that move mostly have none.
bool acts(const InputRecord& record) {
  if (const auto* key = std::get_if<KeyInput>(&record.body))
    return key->down;
  if (const auto* button = std::get_if<ButtonInput>(&record.body))
    return button->down;
  return std::holds_alternative<ScrollInput>(record.body);
}

}  // namespace

void ControlOutput::set_holder(const std::string& viewer) {
  MutexLock lock(mutex_);
  if (holder_ == viewer)
    return;
  if (!holder_.empty()) {
    const InputRecord release{1, 0, 0, ReleaseInput{}};
    emit({&release, 1});
  }
  holder_ = viewer;
  last_input_us_ = g_get_monotonic_time();
}

bool ControlOutput::push(const std::string& viewer, std::span<const InputRecord> records) {
  MutexLock lock(mutex_);
  if (holder_ != viewer)
    return false;
  last_input_us_ = g_get_monotonic_time();
  emit(records);
  return true;
}

bool ControlOutput::push_message(const std::string& viewer, const std::string& json) {
  MutexLock lock(mutex_);
  if (holder_ != viewer)
    return false;
  push_(Ref<GstBuffer>::adopt(gst_buffer_new_memdup(json.data(), json.size())));
  return true;
}

void ControlOutput::announce(const std::string& json) {
  MutexLock lock(mutex_);
  push_(Ref<GstBuffer>::adopt(gst_buffer_new_memdup(json.data(), json.size())));
}

void ControlOutput::emit(std::span<const InputRecord> records) {
  std::vector<uint8_t> bytes;
  for (const auto& record : records)
    encode_input(record, bytes);
  if (!bytes.empty())
    push_(Ref<GstBuffer>::adopt(gst_buffer_new_memdup(bytes.data(), bytes.size())));
}

const char* ViewerInput::message(std::span<const uint8_t> bytes) {
  const auto decoded = decode_input(bytes);
  if (decoded.error != InputError::none)
    return to_string(decoded.error);
  MutexLock lock(mutex_);
  // Every record comes on two channels.
  if (!rate_.take(g_get_monotonic_time(), std::max(1.0, static_cast<double>(decoded.records.size()) / 2)))
    return "too much input";
  std::vector<InputRecord> due;
  if (!sequencer_.push(decoded.records, due))
    return "too many records wait for a missing one";
  records_ += due.size();
  const int64_t now_us = g_get_monotonic_time();
  if (due.empty() || !output_->push(viewer_, due) || !log_)
    return nullptr;
  for (const InputRecord& record : due)
    if (acts(record))
      log_->injected(record.sequence, now_us);
  return nullptr;
}

}  // namespace vitrine
