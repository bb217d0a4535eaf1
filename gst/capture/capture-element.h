// SPDX-License-Identifier: LGPL-2.1-or-later
// What the element classes around a CaptureSourceBody have in common.
#pragma once

#include <gst/base/gstpushsrc.h>
#include <gst/video/video.h>

#include "capture/capture-properties.h"
#include "capture/capture-source-body.h"

namespace vitrine {

/// Virtual functions for a GstPushSrc subclass whose instance struct `Instance` has a member
/// `CaptureSourceBody* body`. One GType per plugin, hence a template and no common base type.
template <typename Instance>
class CaptureElement {
 public:
  static CaptureSourceBody* body_of(gpointer instance) { return static_cast<Instance*>(instance)->body; }

  /// `capture_mode`: from register_capture_mode(). The caller adds pad template and metadata.
  static void init_class(gpointer klass, GType capture_mode) {
    parent_class = static_cast<GstBaseSrcClass*>(g_type_class_peek_parent(klass));
    auto* object_class = static_cast<GObjectClass*>(klass);
    auto* src_class = static_cast<GstBaseSrcClass*>(klass);
    object_class->set_property = set_property;
    object_class->get_property = get_property;
    object_class->finalize = finalize;
    install_capture_properties(object_class, capture_mode);
    src_class->start = [](GstBaseSrc* src) -> gboolean { return body_of(src)->start(); };
    src_class->stop = [](GstBaseSrc* src) -> gboolean {
      body_of(src)->stop();
      return TRUE;
    };
    src_class->unlock = [](GstBaseSrc* src) -> gboolean {
      body_of(src)->unlock();
      return TRUE;
    };
    src_class->unlock_stop = [](GstBaseSrc* src) -> gboolean {
      body_of(src)->unlock_stop();
      return TRUE;
    };
    src_class->get_caps = get_caps;
    src_class->set_caps = [](GstBaseSrc* src, GstCaps* caps) -> gboolean { return body_of(src)->set_caps(caps); };
    src_class->fixate = fixate;
    src_class->decide_allocation = [](GstBaseSrc* src, GstQuery* query) -> gboolean {
      return body_of(src)->decide_allocation(query);
    };
    src_class->query = query;
    src_class->event = event;
    reinterpret_cast<GstPushSrcClass*>(klass)->create = [](GstPushSrc* src, GstBuffer** buffer) {
      *buffer = nullptr;
      return body_of(src)->create(buffer);
    };
  }

  static void init(Instance* self, std::unique_ptr<FrameOutput> output) {
    self->body = new CaptureSourceBody(GST_BASE_SRC(self), std::move(output));
    gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
    gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
  }

  static void set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
    bool known = false;
    body_of(object)->change_options(
        [&](CaptureSourceOptions& options) { known = set_capture_property(options, id, value); });
    if (!known)
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  }

  static void get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
    if (!get_capture_property(*body_of(object), id, value))
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  }

  static gboolean query(GstBaseSrc* src, GstQuery* query) {
    if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY)
      return parent_class->query(src, query);
    gst_query_set_latency(query, TRUE, kLatency, GST_CLOCK_TIME_NONE);
    return TRUE;
  }

 private:
  static constexpr GstClockTime kLatency = 5 * GST_MSECOND;

  static void finalize(GObject* object) {
    delete body_of(object);
    G_OBJECT_CLASS(parent_class)->finalize(object);
  }

  static GstCaps* get_caps(GstBaseSrc* src, GstCaps* filter) {
    Ref<GstCaps> caps = body_of(src)->caps();
    return filter ? gst_caps_intersect_full(filter, caps.get(), GST_CAPS_INTERSECT_FIRST) : caps.release();
  }

  static GstCaps* fixate(GstBaseSrc* src, GstCaps* caps) {
    caps = gst_caps_truncate(gst_caps_make_writable(caps));
    gst_structure_fixate_field_nearest_fraction(gst_caps_get_structure(caps, 0), "framerate",
                                                kDefaultFramerate, 1);
    return parent_class->fixate(src, caps);
  }

  static gboolean event(GstBaseSrc* src, GstEvent* event) {
    const bool wants_frame =
        GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_UPSTREAM &&
        (gst_video_event_is_force_key_unit(event) || gst_event_has_name(event, "vitrine-repeat-frame"));
    if (!wants_frame)
      return parent_class->event(src, event);
    gboolean refine = FALSE;
    gst_structure_get_boolean(gst_event_get_structure(event), "refine", &refine);
    body_of(src)->request_frame(refine);
    return TRUE;
  }

  static inline GstBaseSrcClass* parent_class = nullptr;
};

}  // namespace vitrine
