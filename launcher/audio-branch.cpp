// SPDX-License-Identifier: LGPL-2.1-or-later
// Sound comes and goes.
#include "audio-branch.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "pipeline-builder.h"
#include "report.h"
#include "sound-names.h"
#include "text.h"

namespace vitrine {
namespace {

/// While somebody listens and there is no sound, one connect() each.
constexpr guint kLookMs = 400;
constexpr int64_t kMostDelayUs = 10'000'000;
/// Viewers are not told for ever of what does not come back.
constexpr int64_t kToldUs = 10'000'000;

constexpr char kSource[] = "sound";

/// The source stays this long without a listener, paused: pages are loaded anew.
constexpr guint kLingerMs = 30'000;

/// After the last program has stopped playing: what is under way is heard, and one sound after another does not start us anew.
constexpr guint kTailMs = 1000;

/// Records the monitor of what programs play to, in pieces of 5 ms: browsers hold back as much sound as pieces of 10 ms come unevenly. Opus has 10 ms
/// frames; the clock is the pipeline's, or a sound server that goes would take it along.
std::vector<ModelElement> sound_chain(const std::string& monitor) {
  return {{"pulsesrc", kSource,
           {{"device", monitor, ""},
            {"client-name", "Vitrine", ""},
            {"provide-clock", "false", ""},
            {"buffer-time", "40000", ""},
            {"latency-time", "5000", ""}}},
          {"capsfilter", "", {{"caps", "audio/x-raw,rate=48000,channels=2", ""}}},
          {"opusenc", "", {{"audio-type", "restricted-lowdelay", ""}, {"frame-size", "10", ""}, {"bitrate", "128000", ""}}}};
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

}  // namespace

std::unique_ptr<AudioBranch> AudioBranch::make(GstElement* pipeline, StateChanges& states, Tell tell) {
  for (const auto& element : sound_chain(""))
    if (!element_exists(element.factory)) {
      GST_WARNING("no sound: there is no element %s", element.factory.c_str());
      return nullptr;
    }
  std::unique_ptr<AudioBranch> branch(new AudioBranch(pipeline, states, std::move(tell)));
  branch->server_ = Ref<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(pipeline), "server"));
  Ref<GstPad>::adopt(gst_element_request_pad_simple(branch->server_.get(), kPad));
  return branch;
}

AudioBranch::AudioBranch(GstElement* pipeline, StateChanges& states, Tell tell)
    : pipeline_(pipeline),
      states_(states),
      tell_(std::move(tell)),
      watch_({[this](const std::string& monitor) { bring_up(monitor); }, [this](bool playing) { set_playing(playing); }, [this] { failed(nullptr); }}) {}

AudioBranch::~AudioBranch() {
  set_looking(false);
  set_lingering(false);
  disconnect();
}

void AudioBranch::set_listeners(unsigned listeners) {
  listeners_ = listeners;
  set_lingering(listeners_ == 0);
  record();
  look_again();
}

void AudioBranch::set_lingering(bool on) {
  if (linger_)
    g_source_remove(std::exchange(linger_, 0));
  if (on)
    linger_ = g_timeout_add(
        kLingerMs,
        [](gpointer data) -> gboolean {
          auto* self = static_cast<AudioBranch*>(data);
          self->linger_ = 0;
          self->disconnect();
          return G_SOURCE_REMOVE;
        },
        this);
}

void AudioBranch::look_again() {
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
  if (!watch_.connected() && now_us >= next_us_ && sound_server_answers())
    watch_.connect();
}

/// Beside a monitor, which may be another one than before. Nothing is recorded yet: that the source is there makes its beginning quick.
void AudioBranch::bring_up(const std::string& monitor) {
  take_down();
  std::string error;
  part_ = Part::make("sound-branch", sound_chain(monitor), error);
  if (!part_) {
    GST_WARNING("no sound: %s", error.c_str());
    next_us_ = INT64_MAX;
    return;
  }
  source_ = Ref<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(part_->bin()), kSource));
  gst_element_set_locked_state(source_.get(), TRUE);
  const auto pad = Ref<GstPad>::adopt(gst_element_get_static_pad(source_.get(), "src"));
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, drop_silence, new GstClockTime(0),
                    [](gpointer data) { delete static_cast<GstClockTime*>(data); });
  part_->enter(pipeline_);
  part_->link_to(server_.get(), kPad);
  states_.start(part_->bin(), [this, generation = ++generation_](bool good) {
    if (generation != generation_)
      return;
    good ? record() : failed(nullptr);
  });
}

void AudioBranch::set_playing(bool playing) {
  if (tail_)
    g_source_remove(std::exchange(tail_, 0));
  if (playing) {
    wanted_ = true;
    record();
    return;
  }
  tail_ = g_timeout_add(
      kTailMs,
      [](gpointer data) -> gboolean {
        auto* self = static_cast<AudioBranch*>(data);
        self->tail_ = 0;
        self->wanted_ = false;
        self->record();
        return G_SOURCE_REMOVE;
      },
      this);
}

/// Brings the source to what is wanted of it, one change at a time: paused it is there, and neither it nor the sound server does anything.
void AudioBranch::record() {
  const bool wanted = wanted_ && listeners_ > 0;
  if (!part_ || changing_ || (runs_ && recording_ == wanted))
    return;
  changing_ = true;
  const auto source = std::make_shared<Ref<GstElement>>(source_.copy());
  states_.change(source->get(), wanted ? GST_STATE_PLAYING : GST_STATE_PAUSED, [this, source, wanted, generation = generation_](bool good) {
    if (generation != generation_) {
      states_.stop(std::move(*source));
      return;
    }
    changing_ = false;
    recording_ = wanted;
    if (!good) {
      failed(nullptr);
      return;
    }
    if (!std::exchange(runs_, true)) {
      attempts_ = 0;
      set_looking(false);
      GST_INFO("sound is there");
      if (std::exchange(told_, false))
        tell_(kTopicSound, "");
    }
    record();
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
  disconnect();
  // The first attempts at once: a socket may be there before its server is.
  const unsigned doublings = attempts_ < 3 ? 0 : std::min(attempts_ - 2, 8U);
  ++attempts_;
  next_us_ = doublings == 0 ? 0 : now_us + std::min<int64_t>(kMostDelayUs, int64_t{kLookMs} * 1000 << doublings);
  set_looking(listeners_ > 0);
}

void AudioBranch::take_down() {
  if (part_)
    part_->leave(states_);
  // The bin does not take it along: its state is not the bin's. A change that is under way stops it when it is done.
  if (source_ && !changing_)
    states_.stop(source_.copy());
  source_.reset();
  part_.reset();
  ++generation_;
  runs_ = recording_ = changing_ = false;
}

void AudioBranch::disconnect() {
  take_down();
  if (tail_)
    g_source_remove(std::exchange(tail_, 0));
  wanted_ = false;
  watch_.disconnect();
}

}  // namespace vitrine
