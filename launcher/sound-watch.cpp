// SPDX-License-Identifier: LGPL-2.1-or-later
// Questions to the sound server, one after another.
#include "sound-watch.h"

#include <pulse/error.h>
#include <pulse/operation.h>
#include <pulse/subscribe.h>

#include <utility>

#include "report.h"
#include "sound-names.h"

namespace vitrine {
namespace {

/// Answers come by callback; what was asked is not of interest.
void forget(pa_operation* operation) {
  if (operation)
    pa_operation_unref(operation);
}

constexpr int kUnloadMs = 300;

SoundWatch& watch(void* data) { return *static_cast<SoundWatch*>(data); }

}  // namespace

SoundWatch::SoundWatch(Host host) : host_(std::move(host)) {}

SoundWatch::~SoundWatch() {
  unload_modules();
  disconnect();
}

void SoundWatch::connect() {
  disconnect();
  loop_ = pa_glib_mainloop_new(nullptr);
  context_ = pa_context_new(pa_glib_mainloop_get_api(loop_), "Vitrine");
  pa_context_set_state_callback(
      context_, [](pa_context*, void* self) { watch(self).on_state(); }, this);
  // A failure comes by the callback as well.
  pa_context_connect(context_, nullptr, PA_CONTEXT_NOAUTOSPAWN, nullptr);
}

void SoundWatch::disconnect() {
  if (!context_)
    return;
  pa_context* context = std::exchange(context_, nullptr);
  pa_context_set_state_callback(context, nullptr, nullptr);
  pa_context_set_subscribe_callback(context, nullptr, nullptr);
  pa_context_disconnect(context);
  pa_context_unref(context);
  // Each connection has its own, since one whose events are gone when it is their turn takes itself out of the main loop for ever. We may be
  // in a callback of it.
  g_idle_add(
      [](gpointer loop) -> gboolean {
        pa_glib_mainloop_free(static_cast<pa_glib_mainloop*>(loop));
        return G_SOURCE_REMOVE;
      },
      std::exchange(loop_, nullptr));
  monitor_.clear();
  index_ = PA_INVALID_INDEX;
  playing_ = heard_ = asking_ = ask_again_ = source_there_ = false;
  microphone_done_ = nullptr;
}

void SoundWatch::on_state() {
  const pa_context_state_t state = pa_context_get_state(context_);
  if (state == PA_CONTEXT_READY && !host_.playing) {
    look_for_source();
  } else if (state == PA_CONTEXT_READY) {
    pa_context_set_subscribe_callback(
        context_, [](pa_context*, pa_subscription_event_type_t event, uint32_t, void* self) { watch(self).on_event(event); }, this);
    forget(pa_context_subscribe(
        context_, pa_subscription_mask_t(PA_SUBSCRIPTION_MASK_SINK_INPUT | PA_SUBSCRIPTION_MASK_SERVER), nullptr,
        nullptr));
    ask();
  } else if (!PA_CONTEXT_IS_GOOD(state)) {
    GST_INFO("no connection to the sound server: %s", pa_strerror(pa_context_errno(context_)));
    modules_.clear();  // they went with it
    disconnect();
    host_.lost();
  }
}

void SoundWatch::on_event(pa_subscription_event_type_t event) {
  // The beginning of a sound is not to be lost while we ask whether it is one that is heard.
  if ((event & PA_SUBSCRIPTION_EVENT_FACILITY_MASK) == PA_SUBSCRIPTION_EVENT_SINK_INPUT &&
      (event & PA_SUBSCRIPTION_EVENT_TYPE_MASK) == PA_SUBSCRIPTION_EVENT_NEW && !std::exchange(playing_, true))
    host_.playing(true);
  ask();
}

/// Which sink is the default one, and who plays to it. One question at a time: volumes may change a hundred times per second.
void SoundWatch::ask() {
  if (asking_) {
    ask_again_ = true;
    return;
  }
  asking_ = true;
  heard_ = false;
  forget(pa_context_get_server_info(
      context_,
      [](pa_context* context, const pa_server_info* info, void* self) {
        const char* sink = info ? info->default_sink_name : nullptr;
        if (sink && *sink)
          forget(pa_context_get_sink_info_by_name(context, sink, on_sink, self));
        else
          watch(self).answered();
      },
      this));
}

void SoundWatch::on_sink(pa_context* context, const pa_sink_info* info, int end, void* data) {
  SoundWatch& self = watch(data);
  if (info) {
    self.index_ = info->index;
    const std::string monitor = info->monitor_source_name ? info->monitor_source_name : "";
    if (std::exchange(self.monitor_, monitor) != monitor)
      self.host_.monitor(monitor);
  } else if (end && self.context_ == context) {
    forget(pa_context_get_sink_input_info_list(context, on_input, data));
  }
}

void SoundWatch::on_input(pa_context*, const pa_sink_input_info* info, int end, void* data) {
  SoundWatch& self = watch(data);
  if (info)
    self.heard_ |= info->sink == self.index_ && !info->corked;
  else if (end)
    self.answered();
}

void SoundWatch::answered() {
  asking_ = false;
  if (std::exchange(ask_again_, false))
    ask();
  else if (std::exchange(playing_, heard_) != heard_)
    host_.playing(heard_);
}

void SoundWatch::make_microphone(std::function<void(bool)> done) {
  if (!context_)
    connect();
  microphone_done_ = std::move(done);
  if (context_ && pa_context_get_state(context_) == PA_CONTEXT_READY)
    look_for_source();
}

void SoundWatch::look_for_source() {
  source_there_ = false;
  forget(pa_context_get_source_info_by_name(
      context_, kMicrophoneName,
      [](pa_context*, const pa_source_info* info, int end, void* self) {
        if (info)
          watch(self).source_there_ = true;
        else if (end)
          watch(self).on_source();
      },
      this));
}

/// Of a private server, or one that an earlier session left.
void SoundWatch::on_source() {
  if (source_there_) {
    microphone_made(true);
    return;
  }
  forget(pa_context_get_server_info(
      context_,
      [](pa_context*, const pa_server_info* info, void* self) {
        const std::string sink = info && info->default_sink_name ? info->default_sink_name : "";
        // Servers take that one away, or no longer prefer it, as soon as there is any other: programs would play into the microphone.
        if (sink == kSinkForWantOfAny)
          watch(self).make_sink();
        else
          watch(self).make_talk_sink();
      },
      this));
}

void SoundWatch::make_sink() {
  load("module-null-sink", kSinkArguments, [](SoundWatch& self, bool good) {
    if (good)
      forget(pa_context_set_default_sink(self.context_, kSinkName, nullptr, nullptr));
    self.make_talk_sink();
  });
}

void SoundWatch::make_talk_sink() {
  load("module-null-sink", kTalkSinkArguments, [](SoundWatch& self, bool good) {
    if (!good)
      self.microphone_made(false);
    else
      self.load("module-remap-source", kMicrophoneArguments, [](SoundWatch& me, bool made) {
        if (made)
          forget(pa_context_set_default_source(me.context_, kMicrophoneName, nullptr, nullptr));
        me.microphone_made(made);
      });
  });
}

void SoundWatch::microphone_made(bool good) {
  if (const auto done = std::exchange(microphone_done_, nullptr))
    done(good);
}

void SoundWatch::load(const char* module, const char* arguments, void (*then)(SoundWatch& self, bool good)) {
  loaded_ = then;
  forget(pa_context_load_module(
      context_, module, arguments,
      [](pa_context* context, uint32_t index, void* data) {
        SoundWatch& self = watch(data);
        const bool good = index != PA_INVALID_INDEX;
        if (good)
          self.modules_.push_back(index);
        else
          GST_WARNING("the sound server makes no microphone: %s", pa_strerror(pa_context_errno(context)));
        self.loaded_(self, good);
      },
      this));
}

/// Takes back what somebody else's server was given, the last first; waits for that a little.
void SoundWatch::unload_modules() {
  int under_way = 0;
  for (; context_ && !modules_.empty(); modules_.pop_back()) {
    pa_operation* operation = pa_context_unload_module(
        context_, modules_.back(), [](pa_context*, int, void* count) { --*static_cast<int*>(count); }, &under_way);
    under_way += operation != nullptr;
    forget(operation);
  }
  for (int waited = 0; under_way > 0 && context_ && waited < kUnloadMs; ++waited) {
    if (!g_main_context_iteration(nullptr, FALSE))
      g_usleep(1000);
  }
}

}  // namespace vitrine
