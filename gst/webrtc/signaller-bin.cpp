// SPDX-License-Identifier: LGPL-2.1-or-later
// Pads of webrtcsignallerbin and the life of its session server.
#include "webrtc/signaller-bin.h"
#include "common/text.h"

#include <gst/app/gstappsrc.h>

#include <algorithm>
#include <cstdio>

#include "webrtc/debug.h"
#include "webrtc/message.h"
#include "webrtc/web-page.h"

namespace vitrine {
namespace {

/// What was said longer ago than this is not worth hearing.
constexpr GstClockTime kTalkWaits = 100 * GST_MSECOND;

/// What is wrong with a folder for files; nothing ends for it, since it may come back.
std::string folder_problem(const char* property, const std::string& folder, bool writable) {
  const std::string problem = folder.empty() ? "" : FileFolder(folder).prepare(writable);
  return problem.empty() ? "" : std::string(property) + ": " + problem;
}

/// A text with what comes in place of its %s.
std::string filled(const char* format, const std::string& what) {
  const GCharPtr text(g_strdup_printf(format, what.c_str()));
  return text.get();
}

}  // namespace

bool SignallerBin::collect(ServerSettings& settings, std::string& error) {
  GST_OBJECT_LOCK(element_);
  settings = this->settings;
  const std::string user = this->user, password = this->password, accounts_file = this->accounts_file;
  settings.require_auth = require_auth;
  GST_OBJECT_UNLOCK(element_);

  if (settings.web_root.empty())
    settings.web_root = default_web_root();
  if (settings.title.empty())
    settings.title = kDefaultTitle;
  std::string why;
  if (!password.empty() && !settings.accounts.add(user, password, Role::control, why))
    error = filled(_("The property password cannot be used: %s"), why);
  else if (!accounts_file.empty() && !settings.accounts.load(accounts_file, why))
    error = filled(_("The accounts cannot be read: %s"), why);
  else if (why = network_settings_problem(settings.network); !why.empty())
    error = filled(_("The property %s"), why);
  return error.empty();
}

bool SignallerBin::open() {
  ServerSettings settings;
  std::string error;
  if (!collect(settings, error)) {
    GST_ELEMENT_ERROR(element_, RESOURCE, SETTINGS, ("%s", error.c_str()), (nullptr));
    return false;
  }
  if (settings.require_auth && settings.accounts.empty())
    GST_ELEMENT_WARNING(element_, RESOURCE, SETTINGS,
                        (_("No password is set: nothing but /health is served")),
                        ("set password or accounts-file, or auth=none"));
  for (const std::string& problem : {folder_problem("upload-folder", settings.files.upload_folder, true),
                                     folder_problem("download-folder", settings.files.download_folder, false)})
    if (!problem.empty())
      GST_ELEMENT_WARNING(element_, RESOURCE, SETTINGS, (_("The property %s"), problem.c_str()), (nullptr));
  const int port = settings.port;
  auto server = std::make_shared<SessionServer>(settings, make_host());
  switch (server->start(error)) {
    case SessionServer::StartError::none:
      break;
    case SessionServer::StartError::in_use:
      GST_ELEMENT_ERROR(element_, RESOURCE, BUSY, (_("Port %d is in use"), port), ("%s", error.c_str()));
      return false;
    case SessionServer::StartError::address:
      GST_ELEMENT_ERROR(element_, RESOURCE, OPEN_READ_WRITE, (_("Cannot listen on port %d: %s"), port, error.c_str()),
                        (nullptr));
      return false;
    case SessionServer::StartError::network:
      GST_ELEMENT_ERROR(element_, RESOURCE, SETTINGS, (_("The property %s"), error.c_str()), (nullptr));
      return false;
    case SessionServer::StartError::certificate:
      GST_ELEMENT_ERROR(element_, RESOURCE, SETTINGS, (_("The TLS certificate cannot be used")), ("%s", error.c_str()));
      return false;
  }
  MutexLock lock(mutex_);
  server_ = std::move(server);
  used_ = std::move(settings);
  return true;
}

std::string SignallerBin::reload() {
  ServerSettings wanted, used;
  std::string error;
  if (!collect(wanted, error))
    return error;
  const auto server = this->server();
  if (!server)
    return "";
  {
    MutexLock lock(mutex_);
    used = SessionServer::with_changes(used_, wanted);
  }
  if (!server->change(used, error))
    return filled(_("The property %s"), error);
  MutexLock lock(mutex_);
  used_ = std::move(used);
  return "";
}

void SignallerBin::close() {
  std::shared_ptr<SessionServer> server;
  {
    MutexLock lock(mutex_);
    server = std::move(server_);
  }
  if (server)
    server->stop();
}

void SignallerBin::restart_media() {
  if (auto server = this->server())
    server->restart_media();
}

std::shared_ptr<SessionServer> SignallerBin::server() {
  MutexLock lock(mutex_);
  return server_;
}

void SignallerBin::push_to(Ref<GstElement> SignallerBin::*place, Ref<GstBuffer> buffer) {
  Ref<GstElement> source;
  {
    MutexLock lock(mutex_);
    source = (this->*place).copy();
  }
  if (source)
    gst_app_src_push_buffer(GST_APP_SRC(source.get()), buffer.release());
}

ServerHost SignallerBin::make_host() {
  ServerHost host;
  host.media = [this] {
    std::vector<std::shared_ptr<Fanout>> fanouts;
    MutexLock lock(mutex_);
    for (const auto& input : inputs_)
      fanouts.push_back(input.fanout);
    return fanouts;
  };
  host.clock = [this](Ref<GstClock>& clock, GstClockTime& base_time) {
    if (!playing_)
      return false;
    clock = Ref<GstClock>::adopt(gst_element_get_clock(GST_ELEMENT(element_)));
    base_time = gst_element_get_base_time(GST_ELEMENT(element_));
    return static_cast<bool>(clock);
  };
  host.control = [this](Ref<GstBuffer> buffer) { push_to(&SignallerBin::control_source_, std::move(buffer)); };
  host.talk = [this](Ref<GstBuffer> buffer) { push_to(&SignallerBin::talk_source_, std::move(buffer)); };
  host.takes_talk = [this] {
    MutexLock lock(mutex_);
    return static_cast<bool>(talk_source_);
  };
  host.viewer_connected = notify_.viewer_connected;
  host.viewer_removed = notify_.viewer_removed;
  host.codec_request = notify_.codec_request;
  host.stream_users = notify_.stream_users;
  host.encoder_target = notify_.encoder_target;
  return host;
}

GstPad* SignallerBin::add_ghost(GstElement* child, const char* child_pad, GstPadTemplate* pad_template,
                                const std::string& name) {
  gst_bin_add(element_, child);
  auto target = Ref<GstPad>::adopt(gst_element_get_static_pad(child, child_pad));
  GstPad* ghost = gst_ghost_pad_new_from_template(name.c_str(), target.get(), pad_template);
  gst_pad_set_active(ghost, TRUE);
  if (!gst_element_add_pad(GST_ELEMENT(element_), ghost))
    return nullptr;
  gst_element_sync_state_with_parent(child);
  return ghost;
}

GstPad* SignallerBin::request_media(bool video, GstPadTemplate* pad_template, const char* name) {
  guint index;
  {
    MutexLock lock(mutex_);
    guint& next = video ? next_video_ : next_audio_;
    if (!name || sscanf(name, video ? "video_%u" : "audio_%u", &index) != 1)
      index = next;
    next = std::max(next, index + 1);
  }
  const std::string pad_name = (video ? "video_" : "audio_") + std::to_string(index);
  auto existing = Ref<GstPad>::adopt(gst_element_get_static_pad(GST_ELEMENT(element_), pad_name.c_str()));
  if (existing)
    return nullptr;
  const auto fanout = std::make_shared<Fanout>(video, pad_name);
  GstPad* ghost = add_ghost(fanout->element(), "sink", pad_template, pad_name);
  if (!ghost)
    return nullptr;
  MutexLock lock(mutex_);
  inputs_.push_back({Ref<GstPad>::share(ghost), fanout});
  return ghost;
}

GstPad* SignallerBin::request_source(const char* kind, const char* caps_text, guint64 bytes, GstClockTime time, GstPadTemplate* pad_template,
                                     Ref<GstElement> SignallerBin::*place) {
  MutexLock lock(mutex_);
  if (this->*place)
    return nullptr;
  auto caps = Ref<GstCaps>::adopt(gst_caps_from_string(caps_text));
  GstElement* source = gst_element_factory_make("appsrc", kind);
  // What nobody takes in time is dropped, the oldest first: pushing never blocks.
  g_object_set(source, "is-live", TRUE, "format", GST_FORMAT_TIME, "do-timestamp", TRUE, "caps", caps.get(), "max-bytes", bytes, "max-time", time,
               "leaky-type", GST_APP_LEAKY_TYPE_DOWNSTREAM, nullptr);
  this->*place = Ref<GstElement>::share(source);
  lock.unlock();
  GstPad* ghost = add_ghost(source, "src", pad_template, kind);
  lock.lock();
  return ghost;
}

/// What a desktop element says first.
constexpr char kDesktopReady[] = R"({"type":"desktop/ready"})";

GstFlowReturn SignallerBin::on_control_sample(GstAppSink* sink, gpointer data) {
  auto* self = static_cast<SignallerBin*>(data);
  auto sample = Ref<GstSample>::adopt(gst_app_sink_pull_sample(sink));
  GstBuffer* buffer = sample ? gst_sample_get_buffer(sample.get()) : nullptr;
  GstMapInfo map;
  if (!buffer || !gst_buffer_map(buffer, &map, GST_MAP_READ))
    return GST_FLOW_OK;
  const std::string text(reinterpret_cast<const char*>(map.data), map.size);
  gst_buffer_unmap(buffer, &map);
  std::string to;
  const auto message = edit_desktop_message(text, "to", nullptr, &to);
  const auto server = self->server();
  if (server && text == kDesktopReady)
    server->desktop_ready();
  else if (!message)
    GST_WARNING_OBJECT(self->element_, "control_sink: ignored a buffer that is no desktop message");
  else if (server)
    server->send_to_viewers(*message, to);
  return GST_FLOW_OK;
}

GstPad* SignallerBin::request_control_sink(GstPadTemplate* pad_template) {
  MutexLock lock(mutex_);
  if (control_drain_)
    return nullptr;
  GstElement* drain = gst_element_factory_make("appsink", "desktop");
  g_object_set(drain, "sync", FALSE, "async", FALSE, "enable-last-sample", FALSE, nullptr);
  GstAppSinkCallbacks callbacks{};
  callbacks.new_sample = on_control_sample;
  gst_app_sink_set_callbacks(GST_APP_SINK(drain), &callbacks, this, nullptr);
  control_drain_ = Ref<GstElement>::share(drain);
  lock.unlock();
  GstPad* ghost = add_ghost(drain, "sink", pad_template, "control_sink");
  lock.lock();
  return ghost;
}

GstPad* SignallerBin::request_pad(GstPadTemplate* pad_template, const char* name) {
  const std::string kind = GST_PAD_TEMPLATE_NAME_TEMPLATE(pad_template);
  if (kind == "control_src")
    return request_source("control_src", kControlCaps, 1024 * 1024, 0, pad_template, &SignallerBin::control_source_);
  if (kind == "mic_src")
    return request_source("mic_src", kTalkCaps, 64 * 1024, kTalkWaits, pad_template, &SignallerBin::talk_source_);
  if (kind == "control_sink")
    return request_control_sink(pad_template);
  return request_media(kind == "video_%u", pad_template, name);
}

void SignallerBin::release_pad(GstPad* pad) {
  Ref<GstElement> child;
  std::shared_ptr<Fanout> fanout;
  {
    MutexLock lock(mutex_);
    const auto found = std::find_if(inputs_.begin(), inputs_.end(), [&](const Input& i) { return i.pad.get() == pad; });
    if (found != inputs_.end()) {
      fanout = std::move(found->fanout);
      child = Ref<GstElement>::share(fanout->element());
      inputs_.erase(found);
    } else if (g_strcmp0(GST_PAD_NAME(pad), "control_src") == 0) {
      child = std::move(control_source_);
    } else if (g_strcmp0(GST_PAD_NAME(pad), "control_sink") == 0) {
      child = std::move(control_drain_);
    } else if (g_strcmp0(GST_PAD_NAME(pad), "mic_src") == 0) {
      child = std::move(talk_source_);
    }
  }
  if (!child)
    return;
  gst_pad_set_active(pad, FALSE);
  gst_element_remove_pad(GST_ELEMENT(element_), pad);
  gst_element_set_state(child.get(), GST_STATE_NULL);
  // When the bin itself is disposed of, it has let go of its children before its pads.
  if (GST_OBJECT_PARENT(child.get()) == GST_OBJECT(element_))
    gst_bin_remove(element_, child.get());
}

GstStructure* SignallerBin::stats() {
  ServerStatistics s;
  if (auto server = this->server())
    s = server->statistics();
  return gst_structure_new("application/x-vitrine-stats", "viewers", G_TYPE_UINT, static_cast<guint>(s.viewers),
                           "connected", G_TYPE_UINT, static_cast<guint>(s.connected), "input-records", G_TYPE_UINT64,
                           s.input_records, "frames-sent", G_TYPE_UINT64, s.frames_sent, "frames-dropped", G_TYPE_UINT64,
                           s.frames_dropped, "bytes-sent", G_TYPE_UINT64, s.bytes_sent, nullptr);
}

}  // namespace vitrine
