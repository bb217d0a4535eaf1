// SPDX-License-Identifier: LGPL-2.1-or-later
// Asks the elements; in a process of its own.
#include "probe-nvidia.h"

#include <gst/gst.h>
#include <json-glib/json-glib.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "common/ref.h"
#include "report.h"
#include "text.h"
#include "xserver.h"

namespace vitrine {
namespace {

constexpr GstClockTime kCapturePatience = 5 * GST_SECOND;

JsonObject* object_of(const GstStructure* structure) {
  JsonObject* object = json_object_new();
  for (int i = 0; i < gst_structure_n_fields(structure); ++i) {
    const char* name = gst_structure_nth_field_name(structure, static_cast<guint>(i));
    const GValue* value = gst_structure_get_value(structure, name);
    if (G_VALUE_HOLDS_STRING(value))
      json_object_set_string_member(object, name, g_value_get_string(value));
    else if (G_VALUE_HOLDS_INT(value))
      json_object_set_int_member(object, name, g_value_get_int(value));
    else if (G_VALUE_HOLDS_BOOLEAN(value))
      json_object_set_boolean_member(object, name, g_value_get_boolean(value));
  }
  return object;
}

JsonObject* error_object(const std::string& error) {
  JsonObject* object = json_object_new();
  json_object_set_string_member(object, "error", error.c_str());
  return object;
}

JsonObject* ask_nvenc(int number) {
  const auto encoder = Ref<GstElement>::sink(gst_element_factory_make("nvstreamenc", nullptr));
  if (!encoder)
    return error_object(_("no element nvstreamenc"));
  g_object_set(encoder.get(), "cuda-device-id", number, nullptr);
  GstStructure* raw = nullptr;
  g_object_get(encoder.get(), "capabilities", &raw, nullptr);
  const StructurePtr capabilities(raw);
  if (!capabilities)
    return error_object(_("ends without an answer"));
  JsonObject* object = object_of(capabilities.get());
  JsonObject* codecs = json_object_new();
  for (const char* name : {"h264", "h265", "av1"}) {
    const GValue* codec = gst_structure_get_value(capabilities.get(), name);
    if (codec && GST_VALUE_HOLDS_STRUCTURE(codec))
      json_object_set_object_member(codecs, name, object_of(gst_value_get_structure(codec)));
  }
  json_object_set_object_member(object, "codecs", codecs);
  return object;
}

JsonObject* try_capture(int number) {
  std::unique_ptr<XServer> server;
  if (!std::getenv("DISPLAY")) {
    std::string error;
    server = XServer::start({640, 480}, [] { return false; }, error);
    if (!server)
      return error_object(error);
    setenv("DISPLAY", server->display().c_str(), 1);
    setenv("XAUTHORITY", server->authority().c_str(), 1);
  }
  const std::string line = "ximagesrc-cuda name=source num-buffers=3 use-damage=false cuda-device-id=" + std::to_string(number) +
                           " ! video/x-raw(memory:CUDAMemory),format=NV12,framerate=30/1 ! fakesink";
  ErrorSlot error;
  const auto pipeline = Ref<GstElement>::sink(gst_parse_launch(line.c_str(), error.out()));
  if (!pipeline || *error.message())
    return error_object(error.message());
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const auto bus = Ref<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
  const auto message = Ref<GstMessage>::adopt(
      gst_bus_timed_pop_filtered(bus.get(), kCapturePatience, static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS)));
  JsonObject* object = nullptr;
  if (!message) {
    object = error_object(_("nothing comes out"));
  } else if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR) {
    ErrorSlot why;
    gst_message_parse_error(message.get(), why.out(), nullptr);
    object = error_object(why.message());
  } else {
    const auto source = Ref<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "source"));
    char* mode = nullptr;
    g_object_get(source.get(), "capture-mode-used", &mode, nullptr);
    const GCharPtr owned(mode);
    object = json_object_new();
    json_object_set_string_member(object, "mode", mode ? mode : "");
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return object;
}

}  // namespace

int run_probe_nvidia_child(const Settings&, const std::string& number) {
  const int gpu = std::atoi(number.c_str());
  JsonObject* root = json_object_new();
  json_object_set_object_member(root, "nvenc", ask_nvenc(gpu));
  json_object_set_object_member(root, "capture", try_capture(gpu));
  JsonNode* node = json_node_init_object(json_node_alloc(), root);
  json_object_unref(root);
  const GCharPtr text(json_to_string(node, FALSE));
  json_node_unref(node);
  std::printf("%s\n", text.get());
  std::fflush(stdout);
  return kExitOk;
}

}  // namespace vitrine
