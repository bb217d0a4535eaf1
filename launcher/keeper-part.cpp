// SPDX-License-Identifier: LGPL-2.1-or-later
// Bins with guarded pads.
#include "keeper-part.h"

#include <gst/video/video.h>

#include <algorithm>

#include "keeper-plans.h"
#include "pipeline-builder.h"

namespace vitrine {

std::unique_ptr<Part> Part::make(const std::string& name, const std::vector<ModelElement>& chain, std::string& error) {
  std::unique_ptr<Part> part(new Part());
  return part->build(name, chain, error) ? std::move(part) : nullptr;
}

std::unique_ptr<Part> Part::make_source(const std::string& name, const std::vector<ModelElement>& chain, std::string& error) {
  auto part = make(name, chain, error);
  if (part) {
    part->tee_ = Ref<GstElement>::sink(gst_element_factory_make("tee", (name + "-outlets").c_str()));
    g_object_set(part->tee_.get(), "allow-not-linked", TRUE, nullptr);
  }
  return part;
}

bool Part::build(const std::string& name, const std::vector<ModelElement>& chain, std::string& error) {
  bin_ = Ref<GstElement>::sink(gst_bin_new(name.c_str()));
  GstElement* first = nullptr;
  GstElement* last = nullptr;
  if (!build_chain(GST_BIN(bin_.get()), chain, first, last, error))
    return false;
  if (add_ghost(first, "sink"))
    guard_sink();
  if (add_ghost(last, "src"))
    count_src();
  watch_encoder();
  scaler_ = PictureScaler::find(GST_BIN(bin_.get()));
  return true;
}

bool Part::add_ghost(GstElement* element, const char* name) {
  const auto target = Ref<GstPad>::adopt(gst_element_get_static_pad(element, name));
  if (target)
    gst_element_add_pad(bin_.get(), gst_ghost_pad_new(name, target.get()));
  return static_cast<bool>(target);
}

GstFlowReturn Part::on_buffer(GstPad* pad, GstObject* parent, GstBuffer* buffer) {
  Seen& seen = **static_cast<SeenPtr*>(pad->chaindata);
  if (seen.closed || seen.refused) {
    gst_buffer_unref(buffer);
    return GST_FLOW_OK;
  }
  const int64_t began_us = g_get_monotonic_time();
  seen.entered_us = began_us;
  const GstFlowReturn flow = gst_proxy_pad_chain_default(pad, parent, buffer);
  seen.entered_us = 0;
  seen.longest_us = std::max<int64_t>(seen.longest_us, g_get_monotonic_time() - began_us);
  if (flow < GST_FLOW_OK && flow != GST_FLOW_FLUSHING && flow != GST_FLOW_NOT_LINKED)
    seen.refused = true;
  return GST_FLOW_OK;
}

void Part::guard_sink() {
  const auto sink = pad("sink");
  const auto drop = +[](gpointer data) { delete static_cast<SeenPtr*>(data); };
  gst_pad_set_chain_function_full(sink.get(), on_buffer, new SeenPtr(seen_), drop);
  gst_pad_add_probe(
      sink.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      [](GstPad*, GstPadProbeInfo* info, gpointer data) {
        if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) != GST_EVENT_EOS)
          return GST_PAD_PROBE_OK;
        (*static_cast<SeenPtr*>(data))->ended = true;
        return GST_PAD_PROBE_DROP;
      },
      new SeenPtr(seen_), drop);
}

void Part::count_src() {
  gst_pad_add_probe(
      pad("src").get(), GstPadProbeType(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
      [](GstPad*, GstPadProbeInfo* info, gpointer data) {
        Seen& seen = **static_cast<SeenPtr*>(data);
        const bool buffer = info->type & GST_PAD_PROBE_TYPE_BUFFER;
        if (!buffer && GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS)
          seen.ended = true;
        else if (!seen.closed) {
          seen.out += buffer;
          return GST_PAD_PROBE_OK;
        }
        return GST_PAD_PROBE_DROP;
      },
      new SeenPtr(seen_), [](gpointer data) { delete static_cast<SeenPtr*>(data); });
}

void Part::watch_encoder() {
  queue_ = Ref<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(bin_.get()), kExtraQueue));
  const auto encoder = Ref<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(bin_.get()), "encoder"));
  const auto sink = encoder ? Ref<GstPad>::adopt(gst_element_get_static_pad(encoder.get(), "sink")) : Ref<GstPad>();
  if (!sink)
    return;
  gst_pad_add_probe(
      sink.get(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo*, gpointer data) {
        Seen& seen = **static_cast<SeenPtr*>(data);
        seen.encoding_us = g_get_monotonic_time();
        ++seen.in;
        return GST_PAD_PROBE_OK;
      },
      new SeenPtr(seen_), [](gpointer data) { delete static_cast<SeenPtr*>(data); });
}

bool Part::holds(GstObject* object) const {
  return object == GST_OBJECT(bin_.get()) || gst_object_has_as_ancestor(object, GST_OBJECT(bin_.get()));
}

void Part::enter(GstElement* pipeline) {
  // A bin opens its pads only after its elements have started, and what those say in between would be lost.
  for (const char* name : {"sink", "src"})
    if (const auto own = pad(name))
      gst_pad_set_active(own.get(), TRUE);
  gst_bin_add(GST_BIN(pipeline), bin_.get());
  if (!tee_)
    return;
  gst_bin_add(GST_BIN(pipeline), tee_.get());
  gst_element_link_pads(bin_.get(), "src", tee_.get(), "sink");
  gst_element_sync_state_with_parent(tee_.get());
}

void Part::unlink(GstPad* pad) {
  const auto peer = Ref<GstPad>::adopt(gst_pad_get_peer(pad));
  if (peer && GST_PAD_IS_SRC(pad))
    gst_pad_unlink(pad, peer.get());
  else if (peer)
    gst_pad_unlink(peer.get(), pad);
}

void Part::leave(StateChanges& states, std::function<void()> done) {
  seen_->closed = true;
  for (const char* name : {"sink", "src"})
    if (const auto own = pad(name))
      unlink(own.get());
  if (outlet_)
    gst_element_release_request_pad(feeding_.get(), outlet_.get());
  outlet_.reset();
  feeding_.reset();
  for (auto* element : {&tee_, &bin_}) {
    if (!*element)
      continue;
    if (GstObject* parent = GST_OBJECT_PARENT(element->get()))
      gst_bin_remove(GST_BIN(parent), element->get());
    states.stop(element->copy(), element == &bin_ ? std::move(done) : std::function<void()>());
  }
}

bool Part::link_to(GstElement* to, const char* name) {
  const auto from = pad("src");
  auto target = Ref<GstPad>::adopt(gst_element_get_static_pad(to, name));
  return from && target && gst_pad_link(from.get(), target.get()) == GST_PAD_LINK_OK;
}

bool Part::link_from(GstElement* tee) {
  outlet_ = Ref<GstPad>::adopt(gst_element_request_pad_simple(tee, "src_%u"));
  feeding_ = Ref<GstElement>::share(tee);
  const auto sink = pad("sink");
  return sink && gst_pad_link(outlet_.get(), sink.get()) == GST_PAD_LINK_OK;
}

bool Part::linked() const {
  const auto sink = pad("sink");
  return sink && gst_pad_is_linked(sink.get());
}

EncoderTraffic Part::traffic() {
  EncoderTraffic traffic;
  traffic.out = seen_->out;
  traffic.in = seen_->in;
  traffic.entered_us = seen_->entered_us;
  if (queue_) {
    // Our sink is left at once; a picture that waits says that the one before it is still in the encoder.
    guint waiting = 0;
    g_object_get(queue_.get(), "current-level-buffers", &waiting, nullptr);
    traffic.entered_us = waiting > 0 ? seen_->encoding_us.load() : 0;
  }
  traffic.longest_us = seen_->longest_us.exchange(0);
  return traffic;
}

std::optional<Size> Part::picture_size() const {
  const auto src = pad("src");
  const auto caps = src ? Ref<GstCaps>::adopt(gst_pad_get_current_caps(src.get())) : Ref<GstCaps>();
  Size size;
  if (!caps || !gst_structure_get_int(gst_caps_get_structure(caps.get(), 0), "width", &size.width) ||
      !gst_structure_get_int(gst_caps_get_structure(caps.get(), 0), "height", &size.height))
    return std::nullopt;
  return size;
}

void Part::ask_for_keyframe() {
  const auto sink = pad("sink");
  // To the encoder, which keeps it for the next picture, and to the source for such a picture.
  if (const auto src = pad("src"))
    gst_pad_send_event(src.get(), gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
  if (sink)
    gst_pad_push_event(sink.get(), gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, gst_structure_new_empty("vitrine-repeat-frame")));
}

void Part::set_scale(double scale) {
  if (!scaler_ || scale == scale_)
    return;
  scale_ = scale;
  scaler_->set(scale);
  // A display that stands still would stay as coarse as it is; the first picture of the new size is a keyframe, which repeats sharpen.
  if (const auto sink = pad("sink"))
    gst_pad_push_event(sink.get(), gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM,
                                                        gst_structure_new("vitrine-repeat-frame", "refine", G_TYPE_BOOLEAN, TRUE, nullptr)));
}

}  // namespace vitrine
