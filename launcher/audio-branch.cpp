// SPDX-License-Identifier: LGPL-2.1-or-later
// Sound comes and goes.
#include "audio-branch.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/unique-fd.h"
#include "pipeline-builder.h"
#include "report.h"
#include "text.h"

namespace vitrine {
namespace {

/// While somebody listens and there is no sound, one connect() each.
constexpr guint kLookMs = 400;
constexpr int64_t kMostDelayUs = 10'000'000;
/// Viewers are not told for ever of what does not come back.
constexpr int64_t kToldUs = 10'000'000;

constexpr char kSource[] = "sound";

/// The monitor of what programs play to. 10 ms frames; the clock is the pipeline's, or a sound server that goes would take it along.
const std::vector<ModelElement>& sound_chain() {
  static const std::vector<ModelElement> chain = {
      {"pulsesrc", kSource,
       {{"device", "@DEFAULT_MONITOR@", ""},
        {"client-name", "Vitrine", ""},
        {"provide-clock", "false", ""},
        {"buffer-time", "40000", ""},
        {"latency-time", "10000", ""}}},
      {"capsfilter", "", {{"caps", "audio/x-raw,rate=48000,channels=2", ""}}},
      {"opusenc", "", {{"audio-type", "restricted-lowdelay", ""}, {"frame-size", "10", ""}, {"bitrate", "128000", ""}}}};
  return chain;
}

/// Silence is neither encoded nor sent: after so much of it nothing passes until there is something to hear.
constexpr GstClockTime kSilence = GST_SECOND;

GstPadProbeReturn drop_silence(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto& silent = *static_cast<GstClockTime*>(data);
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ))
    return GST_PAD_PROBE_OK;
  // All bytes are as the first, which is 0.
  const bool zero = map.size > 0 && map.data[0] == 0 && std::memcmp(map.data, map.data + 1, map.size - 1) == 0;
  gst_buffer_unmap(buffer, &map);
  if (zero) {
    silent += GST_BUFFER_DURATION_IS_VALID(buffer) ? GST_BUFFER_DURATION(buffer) : 0;
    return silent > kSilence ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
  }
  if (std::exchange(silent, 0) > kSilence) {
    buffer = gst_buffer_make_writable(buffer);
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
    GST_PAD_PROBE_INFO_DATA(info) = buffer;
  }
  return GST_PAD_PROBE_OK;
}

bool reachable(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return false;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return fd.get() >= 0 && connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

std::vector<std::string> sound_sockets() {
  const auto variable = [](const char* name) -> std::string {
    const char* value = g_getenv(name);
    return value ? value : "";
  };
  if (std::string server = variable("PULSE_SERVER"); !server.empty()) {
    // "{machine}unix:PATH other…"
    server = server.substr(0, server.find(' '));
    if (server.starts_with("{") && server.find('}') != std::string::npos)
      server = server.substr(server.find('}') + 1);
    if (server.starts_with("unix:"))
      server = server.substr(5);
    return server.starts_with("/") ? std::vector{server} : std::vector<std::string>{};
  }
  if (const std::string folder = variable("PULSE_RUNTIME_PATH"); !folder.empty())
    return {folder + "/native"};
  return {std::string(g_get_user_runtime_dir()) + "/pulse/native", "/run/pulse/native"};
}

std::unique_ptr<AudioBranch> AudioBranch::make(GstElement* pipeline, StateChanges& states, Tell tell) {
  for (const auto& element : sound_chain())
    if (!element_exists(element.factory)) {
      GST_WARNING("no sound: there is no element %s", element.factory.c_str());
      return nullptr;
    }
  std::unique_ptr<AudioBranch> branch(new AudioBranch(pipeline, states, std::move(tell)));
  branch->server_ = Ref<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(pipeline), "server"));
  Ref<GstPad>::adopt(gst_element_request_pad_simple(branch->server_.get(), kPad));
  return branch;
}

AudioBranch::~AudioBranch() {
  set_looking(false);
  take_down();
}

void AudioBranch::set_listeners(unsigned listeners) {
  listeners_ = listeners;
  if (listeners_ == 0)
    take_down();
  next_us_ = 0;
  set_looking(listeners_ > 0 && !runs_);
}

void AudioBranch::set_looking(bool on) {
  if (!on && timer_)
    g_source_remove(timer_);
  if (!on)
    timer_ = 0;
  if (!on || timer_)
    return;
  timer_ = g_timeout_add(
      kLookMs,
      [](gpointer self) -> gboolean {
        static_cast<AudioBranch*>(self)->look();
        return G_SOURCE_CONTINUE;
      },
      this);
  look();
}

void AudioBranch::look() {
  const int64_t now_us = g_get_monotonic_time();
  if (told_ && now_us - lost_us_ > kToldUs) {
    told_ = false;
    tell_(kTopicSound, "");
  }
  if (part_ || now_us < next_us_)
    return;
  const auto sockets = sound_sockets();
  // One that is elsewhere is asked by trying, seldom.
  if (sockets.empty() || std::any_of(sockets.begin(), sockets.end(), reachable))
    bring_up();
}

void AudioBranch::bring_up() {
  std::string error;
  part_ = Part::make("sound-branch", sound_chain(), error);
  if (!part_) {
    GST_WARNING("no sound: %s", error.c_str());
    next_us_ = INT64_MAX;
    return;
  }
  const auto source = Ref<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(part_->bin()), kSource));
  const auto pad = Ref<GstPad>::adopt(gst_element_get_static_pad(source.get(), "src"));
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, drop_silence, new GstClockTime(0),
                    [](gpointer data) { delete static_cast<GstClockTime*>(data); });
  part_->enter(pipeline_);
  part_->link_to(server_.get(), kPad);
  const Part* part = part_.get();
  states_.start(part_->bin(), [this, part](bool good) {
    if (part_.get() != part)
      return;
    if (!good) {
      failed(nullptr);
      return;
    }
    runs_ = true;
    attempts_ = 0;
    set_looking(false);
    GST_INFO("sound is there");
    if (std::exchange(told_, false))
      tell_(kTopicSound, "");
  });
}

void AudioBranch::failed(GstMessage* message) {
  if (message) {
    ErrorSlot error;
    gst_message_parse_error(message, error.out(), nullptr);
    GST_WARNING("sound failed: %s", error.message());
  }
  const int64_t now_us = g_get_monotonic_time();
  if (runs_) {
    lost_us_ = now_us;
    told_ = true;
    tell_(kTopicSound, N_("The sound has stopped; it is being restarted…"));
  }
  take_down();
  // The first attempts at once: a socket may be there before its server is.
  const unsigned doublings = attempts_ < 3 ? 0 : std::min(attempts_ - 2, 8U);
  ++attempts_;
  next_us_ = doublings == 0 ? 0 : now_us + std::min<int64_t>(kMostDelayUs, int64_t{kLookMs} * 1000 << doublings);
  set_looking(listeners_ > 0);
}

void AudioBranch::take_down() {
  if (part_)
    part_->leave(states_);
  part_.reset();
  runs_ = false;
}

}  // namespace vitrine
