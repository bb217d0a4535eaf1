// SPDX-License-Identifier: LGPL-2.1-or-later
// A connection to the sound server that tells what goes on there, so that nothing has to be recorded to find out that nothing plays.
#pragma once

#include <pulse/context.h>
#include <pulse/glib-mainloop.h>
#include <pulse/introspect.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace vitrine {

/// Works by libpulse, so with PulseAudio and with PipeWire alike. Bound to the main thread; asks without waiting.
class SoundWatch {
 public:
  struct Host {
    /// The name of the default sink's monitor, when it is known and whenever it is another one.
    std::function<void(const std::string& monitor)> monitor;
    /// Whether any program plays to the default sink. Without this, neither is asked for.
    std::function<void(bool playing)> playing;
    /// No connection came about, or it broke. connect() may be tried again, from in there too.
    std::function<void()> lost;
  };

  explicit SoundWatch(Host host);
  ~SoundWatch();
  SoundWatch(const SoundWatch&) = delete;
  SoundWatch& operator=(const SoundWatch&) = delete;

  void connect();
  void disconnect();
  /// Somebody else's server has been given a microphone, which is taken back when we end: until then the connection must last.
  bool holds_microphone() const { return !modules_.empty(); }
  bool connected() const { return context_ != nullptr; }

  /// For a watch without `playing`: connects, and makes sure that there is the virtual microphone (sound-names.h); one that it makes becomes
  /// the default source. `done` is told whether there is one; nothing is told if the connection breaks, but `lost`.
  void make_microphone(std::function<void(bool good)> done);

 private:
  void on_state();
  void on_event(pa_subscription_event_type_t event);
  void ask();
  static void on_sink(pa_context* context, const pa_sink_info* info, int end, void* self);
  static void on_input(pa_context* context, const pa_sink_input_info* info, int end, void* self);
  void answered();
  void look_for_source();
  void on_source();
  void make_sink();
  void make_talk_sink();
  void load(const char* module, const char* arguments, void (*then)(SoundWatch& self, bool good));
  void microphone_made(bool good);
  void unload_modules();

  const Host host_;
  pa_glib_mainloop* loop_ = nullptr;
  pa_context* context_ = nullptr;
  // What the server said last, and what it is saying now.
  std::string monitor_;
  uint32_t index_ = PA_INVALID_INDEX;
  bool playing_ = false, heard_ = false;
  bool asking_ = false, ask_again_ = false;
  // The microphone.
  std::function<void(bool)> microphone_done_;
  void (*loaded_)(SoundWatch& self, bool good) = nullptr;
  bool source_there_ = false;
  std::vector<uint32_t> modules_;  // that we loaded
};

}  // namespace vitrine
