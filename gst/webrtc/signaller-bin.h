// SPDX-License-Identifier: LGPL-2.1-or-later
// The body of webrtcsignallerbin: what goes through its pads, and the session server behind them.
#pragma once

#include <gst/app/gstappsink.h>
#include <gst/gst.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/mutex.h"
#include "common/ref.h"
#include "webrtc/session-server.h"

namespace vitrine {

/// Settings are read and written under the element's object lock by the skin; they take effect at NULL to READY.
class SignallerBin {
 public:
  static constexpr guint kDefaultPort = 8080;
  static constexpr guint kDefaultMaxViewers = 16;
  static constexpr guint kDefaultUploadMib = 4096, kMostUploadMib = 16u << 20;
  static constexpr char kDefaultUser[] = "user";
  static constexpr char kDefaultTitle[] = "Vitrine";
  /// Opus as browsers send it, decoded to one channel whatever its packets say.
  static constexpr char kTalkCaps[] = "audio/x-opus, rate=(int)48000, channels=(int)1, channel-mapping-family=(int)0";
  static constexpr char kControlCaps[] = "application/x-vitrine-control, version=(int)1";

  /// Emit the element's signals; called on the session's thread.
  struct Notify {
    std::function<void(const std::string& id)> viewer_connected;
    std::function<void(const std::string& id, const std::string& reason)> viewer_removed;
    std::function<bool(const std::vector<std::string>& codecs)> codec_request;
    std::function<void(const std::string& pad, unsigned users)> stream_users;
    std::function<void(const std::string& pad, const EncoderTarget& target)> encoder_target;
  };

  SignallerBin(GstBin* element, Notify notify) : element_(element), notify_(std::move(notify)) {}
  ~SignallerBin() { close(); }
  SignallerBin(const SignallerBin&) = delete;
  SignallerBin& operator=(const SignallerBin&) = delete;

  /// Takes the settings over and opens the port. What went wrong is posted as the element's error.
  bool open();
  /// Takes over what has changed since then, as far as that can be; files are read again. Empty, or what is wrong: then nothing has changed.
  std::string reload();
  void close();
  void set_playing(bool playing) { playing_ = playing; }
  void restart_media();
  /// Null while the port is closed.
  std::shared_ptr<SessionServer> server();

  GstPad* request_pad(GstPadTemplate* pad_template, const char* name);
  void release_pad(GstPad* pad);
  GstStructure* stats();

  // Guarded by the element's object lock:
  ServerSettings settings;
  bool require_auth = true;
  std::string user = kDefaultUser, password, accounts_file;

 private:
  struct Input {
    Ref<GstPad> pad;
    std::shared_ptr<Fanout> fanout;
  };
  /// What the properties say, with the files that they name read. False, with `error` for people, if something cannot be used.
  bool collect(ServerSettings& settings, std::string& error);
  GstPad* add_ghost(GstElement* child, const char* child_pad, GstPadTemplate* pad_template, const std::string& name);
  GstPad* request_media(bool video, GstPadTemplate* pad_template, const char* name);
  /// A pad that buffers come out of, `kind` being its name; its appsrc goes to `place`.
  GstPad* request_source(const char* kind, const char* caps, guint64 bytes, GstClockTime time, GstPadTemplate* pad_template,
                         Ref<GstElement> SignallerBin::*place);
  GstPad* request_control_sink(GstPadTemplate* pad_template);
  ServerHost make_host();
  void push_to(Ref<GstElement> SignallerBin::*source, Ref<GstBuffer> buffer);
  static GstFlowReturn on_control_sample(GstAppSink* sink, gpointer self);

  GstBin* const element_;
  const Notify notify_;
  std::atomic<bool> playing_{false};
  Mutex mutex_;
  std::shared_ptr<SessionServer> server_ GUARDED_BY(mutex_);
  ServerSettings used_ GUARDED_BY(mutex_);  // by server_
  std::vector<Input> inputs_ GUARDED_BY(mutex_);
  Ref<GstElement> control_source_ GUARDED_BY(mutex_), control_drain_ GUARDED_BY(mutex_), talk_source_ GUARDED_BY(mutex_);
  guint next_video_ GUARDED_BY(mutex_) = 0, next_audio_ GUARDED_BY(mutex_) = 0;
};

}  // namespace vitrine
