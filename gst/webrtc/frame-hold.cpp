// SPDX-License-Identifier: LGPL-2.1-or-later
// A probe before the encoder.
#include "webrtc/frame-hold.h"

#include <algorithm>
#include <string_view>

#include "webrtc/picture-times.h"

namespace vitrine {
namespace {

constexpr int kElementsMax = 16;  // between us and the pictures

/// The source pad that feeds `sink`, through the borders of bins.
Ref<GstPad> real_peer(GstPad* sink) {
  auto peer = Ref<GstPad>::adopt(gst_pad_get_peer(sink));
  for (int i = 0; peer && i < kElementsMax; ++i) {
    if (GST_IS_GHOST_PAD(peer.get())) {
      peer = Ref<GstPad>::adopt(gst_ghost_pad_get_target(GST_GHOST_PAD(peer.get())));
    } else if (GST_IS_PROXY_PAD(peer.get())) {
      auto ghost = Ref<GstPad>::adopt(GST_PAD(gst_proxy_pad_get_internal(GST_PROXY_PAD(peer.get()))));
      peer = ghost ? Ref<GstPad>::adopt(gst_pad_get_peer(ghost.get())) : Ref<GstPad>();
    } else {
      return peer;
    }
  }
  return {};
}

struct Pictures {
  Ref<GstPad> pad;      // where they come from; null if there is none (yet)
  bool shared = false;  // there is a tee behind the encoder
};

/// Upstream of encoded video.
Pictures find_pictures(GstPad* encoded) {
  bool shared = false;
  auto sink = Ref<GstPad>::share(encoded);
  for (int i = 0; sink && i < kElementsMax; ++i) {
    auto source = real_peer(sink.get());
    auto caps = source ? Ref<GstCaps>::adopt(gst_pad_get_current_caps(source.get())) : Ref<GstCaps>();
    if (!caps || gst_caps_is_empty(caps.get()))
      return {};
    if (std::string_view(gst_structure_get_name(gst_caps_get_structure(caps.get(), 0))) == "video/x-raw")
      return {std::move(source), shared};
    auto element = Ref<GstElement>::adopt(gst_pad_get_parent_element(source.get()));
    shared |= element && element.get()->numsrcpads > 1;
    sink = element ? Ref<GstPad>::adopt(gst_element_get_static_pad(element.get(), "sink")) : Ref<GstPad>();
  }
  return {};
}

}  // namespace

struct FrameHold::State {
  Mutex mutex;
  std::vector<std::shared_ptr<ViewerRate>> paths GUARDED_BY(mutex);
  bool watched GUARDED_BY(mutex) = true;
  bool shared GUARDED_BY(mutex) = false;
  unsigned framerate GUARDED_BY(mutex) = 0;
  int64_t next_us GUARDED_BY(mutex) = 0;
  bool owing GUARDED_BY(mutex) = false;
  std::atomic<uint64_t> left_out{0};

  bool blocked(int64_t now_us) {
    std::vector<std::shared_ptr<ViewerRate>> all;
    {
      MutexLock lock(mutex);
      if (!watched && !shared)
        return true;
      // A picture that is due within a quarter of the interval may pass: sources jitter.
      if (framerate > 0 && now_us < next_us - 250'000 / static_cast<int64_t>(framerate))
        return true;
      all = paths;
    }
    return !all.empty() && std::all_of(all.begin(), all.end(), [&](const auto& path) { return path->full(now_us); });
  }
  bool unwatched() {
    MutexLock lock(mutex);
    return !watched && !shared;
  }
  bool leave_out(int64_t now_us) {
    const bool out = blocked(now_us);
    MutexLock lock(mutex);
    owing = out;
    if (out)
      left_out += watched || shared;
    else if (framerate > 0)
      next_us = std::max(now_us, next_us) + 1'000'000 / static_cast<int64_t>(framerate);
    return out;
  }
};

FrameHold::FrameHold() : state_(std::make_shared<State>()) {}

FrameHold::~FrameHold() { detach(); }

void FrameHold::detach() {
  if (pad_)
    gst_pad_remove_probe(pad_.get(), probe_);
  pad_.reset();
}

void FrameHold::set_paths(std::vector<std::shared_ptr<ViewerRate>> paths) {
  MutexLock lock(state_->mutex);
  state_->paths = std::move(paths);
}

void FrameHold::set_watched(bool watched) {
  MutexLock lock(state_->mutex);
  state_->watched = watched;
}

void FrameHold::set_framerate(unsigned framerate) {
  MutexLock lock(state_->mutex);
  state_->framerate = framerate;
}

bool FrameHold::follow(GstPad* encoded, const std::shared_ptr<PictureLog>& log) {
  auto [pad, shared] = find_pictures(encoded);
  {
    MutexLock lock(state_->mutex);
    state_->shared = shared;
  }
  if (pad.get() == pad_.get())
    return false;
  detach();
  if (!pad)
    return false;
  using Watch = std::pair<std::shared_ptr<State>, std::shared_ptr<PictureLog>>;
  pad_ = std::move(pad);
  probe_ = gst_pad_add_probe(
      pad_.get(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad* pictures, GstPadProbeInfo* info, gpointer data) {
        const auto& [state, told] = *static_cast<Watch*>(data);
        const int64_t now_us = g_get_monotonic_time();
        const bool out = state->leave_out(now_us);
        if (out && state->unwatched())
          told->forget();  // who comes later was not waiting for it
        else
          tell_picture(pictures, GST_PAD_PROBE_INFO_BUFFER(info), out, now_us, *told);
        return out ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
      },
      new Watch(state_, log), [](gpointer data) { delete static_cast<Watch*>(data); });
  return true;
}

bool FrameHold::released(int64_t now_us) {
  {
    MutexLock lock(state_->mutex);
    if (!state_->owing)
      return false;
  }
  if (state_->blocked(now_us))
    return false;
  MutexLock lock(state_->mutex);
  state_->owing = false;
  return true;
}

bool FrameHold::owes() const {
  MutexLock lock(state_->mutex);
  return state_->owing;
}

uint64_t FrameHold::left_out() const { return state_->left_out; }

}  // namespace vitrine
