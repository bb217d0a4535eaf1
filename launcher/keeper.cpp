// SPDX-License-Identifier: LGPL-2.1-or-later
// Watching, taking down, bringing up.
#include "keeper.h"

#include <algorithm>

#include "pipeline-builder.h"
#include "report.h"
#include "text.h"

namespace vitrine {
namespace {

constexpr guint kTickMs = 100;
/// A stream that nobody uses stays this long: pages are loaded anew.
constexpr int64_t kLingerUs = 3'000'000;
/// An encoder that dies at once each time is given up after so many; each half second of work earns one more.
constexpr int kEncoderRestarts = 10;
constexpr int64_t kEncoderEarnUs = 500'000, kEncoderDelayUs = 100'000, kEncoderMostDelayUs = 3'000'000;
/// Drivers may take long to make a context.
constexpr int64_t kStartUs = 5'000'000;
/// A better encoder comes back only after the present one has worked for this long.
constexpr int64_t kSettledUs = 10'000'000;

const char* to_string(EncoderFailure failure) {
  switch (failure) {
    case EncoderFailure::error: return "it reports an error";
    case EncoderFailure::driver: return "the driver reports an error";
    case EncoderFailure::refused: return "it refuses pictures";
    case EncoderFailure::hung: return "it hangs";
    case EncoderFailure::stalled: return "it takes pictures and gives none";
  }
  return "";
}

EncoderFailure classify(GstMessage* message) {
  ErrorSlot error;
  gst_message_parse_error(message, error.out(), nullptr);
  GstElementFactory* factory =
      GST_IS_ELEMENT(GST_MESSAGE_SRC(message)) ? gst_element_get_factory(GST_ELEMENT(GST_MESSAGE_SRC(message))) : nullptr;
  const char* kind = factory ? gst_element_factory_get_metadata(factory, GST_ELEMENT_METADATA_KLASS) : nullptr;
  const bool hardware = kind && g_strrstr(kind, "Hardware");
  return hardware && error.get()->domain != GST_CORE_ERROR ? EncoderFailure::driver : EncoderFailure::error;
}

}  // namespace

Keeper::Stream::Stream(std::string pad_name, std::vector<VideoPlan> all)
    : pad(std::move(pad_name)),
      plans(std::move(all)),
      choice(plans.size()),
      limit(kEncoderRestarts, kEncoderEarnUs, kEncoderDelayUs, kEncoderMostDelayUs) {}

Keeper::Keeper(GstElement* pipeline, StateChanges& states, Host host)
    : pipeline_(pipeline),
      server_(Ref<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(pipeline), "server"))),
      control_(Ref<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(pipeline), "control"))),
      states_(states),
      host_(std::move(host)) {
  Ref<GstPad>::adopt(gst_element_request_pad_simple(server(), kMainPad));
}

Keeper::~Keeper() {
  if (tick_)
    g_source_remove(tick_);
  take_down_display();
  for (auto& stream : streams_) {
    take_down(*stream);
    if (stream->lingering)
      g_source_remove(stream->lingering);
  }
}

guint Keeper::after(int64_t delay_us, std::function<void()> run) {
  return g_timeout_add_full(
      G_PRIORITY_DEFAULT, static_cast<guint>(delay_us / 1000),
      [](gpointer data) -> gboolean {
        (*static_cast<std::function<void()>*>(data))();
        return G_SOURCE_REMOVE;
      },
      new std::function<void()>(std::move(run)), [](gpointer data) { delete static_cast<std::function<void()>*>(data); });
}

void Keeper::start(std::vector<VideoPlan> plans, std::vector<VideoPlan> others) {
  others_ = std::move(others);
  streams_.push_back(std::make_unique<Stream>(kMainPad, std::move(plans)));
  tick_ = g_timeout_add(
      kTickMs,
      [](gpointer self) -> gboolean {
        static_cast<Keeper*>(self)->tick();
        return G_SOURCE_CONTINUE;
      },
      this);
  bring_up(*streams_.front());
}

Keeper::Stream* Keeper::find(const Part* part) {
  const auto found = std::find_if(streams_.begin(), streams_.end(), [part](const auto& s) { return s->part.get() == part; });
  return found == streams_.end() ? nullptr : found->get();
}

Keeper::Stream* Keeper::find(const std::string& pad) {
  const auto found = std::find_if(streams_.begin(), streams_.end(), [&](const auto& s) { return s->pad == pad; });
  return found == streams_.end() ? nullptr : found->get();
}

// ---- judging ----

void Keeper::tick() {
  const int64_t now_us = g_get_monotonic_time();
  // A failure may end streams.
  std::vector<std::string> pads;
  for (const auto& stream : streams_)
    pads.push_back(stream->pad);
  for (const auto& pad : pads)
    if (Stream* stream = find(pad); stream && stream->part)
      look_at(*stream, now_us);
}

void Keeper::look_at(Stream& stream, int64_t now_us) {
  if (!stream.runs) {
    if (now_us - stream.began_us > kStartUs)
      fail(stream, EncoderFailure::hung, "no start");
    return;
  }
  if (stream.part->refused()) {
    fail(stream, EncoderFailure::refused, "not negotiated");
    return;
  }
  const EncoderTraffic traffic = stream.part->traffic();
  const auto verdict = stream.watch.look(traffic, now_us);
  if (verdict != EncoderWatch::Verdict::well) {
    fail(stream, verdict == EncoderWatch::Verdict::hung ? EncoderFailure::hung : EncoderFailure::stalled,
         "no access unit for " + std::to_string(stream.watch.waited_us() / 1000) + " ms");
    return;
  }
  if (traffic.out > 0 && stream.working_since_us == 0) {
    stream.working_since_us = now_us;
    if (stream.failed_us != 0)
      GST_WARNING("%s: %s goes on after %" G_GINT64_FORMAT " ms", stream.pad.c_str(), stream.plan().encoder.c_str(),
                  (now_us - stream.failed_us) / 1000);
    if (std::exchange(stream.told, false))
      host_.tell(kTopicEncoder, "");
  }
  if (stream.next) {
    if (now_us - stream.next->began_us > kStartUs)
      drop_next(stream, "no start");
  } else if (stream.working_since_us != 0 && now_us - stream.working_since_us > kSettledUs && stream.choice.best(now_us) < stream.current) {
    GST_WARNING("%s: trying %s again", stream.pad.c_str(), stream.plans[stream.choice.best(now_us)].encoder.c_str());
    go_over(stream, stream.choice.best(now_us));
  }
}

Keeper::Owner Keeper::owner(GstObject* source) const {
  const auto holds = [source](const std::unique_ptr<Part>& part) { return part && part->holds(source); };
  for (const auto& stream : streams_)
    if (holds(stream->part) || (stream->next && (holds(stream->next->part) || holds(stream->next->source))))
      return Owner::encoder;
  for (const auto* part : {source_.get(), input_.get(), desktop_.get()})
    if (part && part->holds(source))
      return Owner::display;
  return source == GST_OBJECT(server_.get()) || gst_object_has_as_ancestor(source, GST_OBJECT(server_.get())) ? Owner::server
                                                                                                              : Owner::none;
}

void Keeper::encoder_error(GstMessage* message) {
  ErrorSlot error;
  gst_message_parse_error(message, error.out(), nullptr);
  GstObject* source = GST_MESSAGE_SRC(message);
  for (const auto& stream : streams_) {
    if (stream->part && stream->part->holds(source))
      fail(*stream, classify(message), error.message());
    else if (stream->next && (stream->next->part->holds(source) || (stream->next->source && stream->next->source->holds(source))))
      drop_next(*stream, error.message());
    else
      continue;
    return;  // a failure may end streams
  }
}

void Keeper::fail(Stream& stream, EncoderFailure failure, const std::string& what) {
  const int64_t now_us = g_get_monotonic_time();
  const std::string encoder = stream.plan().encoder;
  GST_WARNING("%s: %s failed: %s (%s)", stream.pad.c_str(), encoder.c_str(), to_string(failure), what.c_str());
  if (!blame_scaler(stream, failure))
    stream.choice.failed(stream.current, now_us);
  const auto delay_us = stream.limit.take(stream.working_since_us == 0 ? 0 : now_us - stream.working_since_us);
  take_down(stream);
  // It is the source's own thread that is in there; and what a reset driver gave the source is void.
  if (stream.main() && (failure == EncoderFailure::hung || failure == EncoderFailure::driver))
    take_down_source();
  if (!delay_us) {
    if (stream.main())
      host_.give_up(encoder + ": " + what);
    else
      remove(stream);
    return;
  }
  stream.failed_us = now_us;
  if (stream.main() && !std::exchange(stream.told, true))
    host_.tell(kTopicEncoder, N_("The encoder is being restarted…"));
  if (*delay_us == 0) {
    bring_up(stream);
    return;
  }
  const std::string pad = stream.pad;
  stream.waiting = after(*delay_us, [this, pad] {
    if (Stream* waited = find(pad)) {
      waited->waiting = 0;
      bring_up(*waited);
    }
  });
}

// ---- encoders ----

void Keeper::take_down(Stream& stream) {
  if (const guint id = std::exchange(stream.waiting, 0))
    g_source_remove(id);
  for (auto* part : {stream.next ? &stream.next->part : nullptr, stream.next ? &stream.next->source : nullptr, &stream.part})
    if (part && *part)
      (*part)->leave(states_);
  stream.next.reset();
  stream.part.reset();
  stream.runs = false;
}

std::unique_ptr<Part> Keeper::make_encoder(const Stream& stream, const PipelineModel& model, std::string& error) {
  auto chain = stream.main() ? encode_chain(model) : extra_encode_chain(model, streams_[0]->plan().model);
  if (!stream.scales)
    chain = without_scaler(std::move(chain));
  auto part = Part::make("encode-" + stream.pad + "-" + std::to_string(++made_), chain, error);
  if (part) {
    part->enter(pipeline_);
    apply_target(stream, *part, model);
  }
  return part;
}

void Keeper::bring_up(Stream& stream) {
  const int64_t now_us = g_get_monotonic_time();
  stream.current = stream.choice.best(now_us);
  stream.watch = {};
  stream.began_us = now_us;
  stream.working_since_us = 0;
  const PipelineModel& model = stream.plan().model;
  if (stream.main() && source_ && !same_elements(source_chain_, capture_chain(model)))
    take_down_source();
  std::string error;
  stream.part = make_encoder(stream, model, error);
  if (!stream.part) {
    build_failed(stream, error);
    return;
  }
  if (!stream.part->link_to(server(), stream.pad.c_str())) {
    build_failed(stream, _("these elements do not fit together:") + std::string(" encoder, server"));
    return;
  }
  const Part* part = stream.part.get();
  states_.start(stream.part->bin(), [this, part](bool good) {
    if (Stream* one = find(part))
      started(*one, good);
  });
}

bool Keeper::build_failed(Stream& stream, const std::string& error) {
  fail(stream, EncoderFailure::error, error);
  return false;
}

void Keeper::started(Stream& stream, bool good) {
  if (!good) {
    fail(stream, EncoderFailure::error, "no start");
    return;
  }
  stream.runs = true;
  stream.began_us = g_get_monotonic_time();
  if (source_)
    join(stream);
  else if (stream.main())
    bring_up_display();
}

void Keeper::join(Stream& stream) {
  if (!stream.part->link_from(*source_)) {
    fail(stream, EncoderFailure::refused, _("these elements do not fit together:") + std::string(" capture, encoder"));
    return;
  }
  stream.part->ask_for_keyframe();
}

// ---- further streams ----

void Keeper::add_stream(const std::vector<std::string>& codecs) {
  const auto fits = [&](const VideoPlan& plan) { return std::find(codecs.begin(), codecs.end(), plan.codec) != codecs.end(); };
  if (std::any_of(streams_.begin(), streams_.end(), [&](const StreamPtr& stream) { return fits(stream->plan()); }))
    return;
  const auto first = std::find_if(others_.begin(), others_.end(), fits);
  if (first == others_.end())
    return;
  std::vector<VideoPlan> plans;
  std::copy_if(others_.begin(), others_.end(), std::back_inserter(plans), [&](const VideoPlan& plan) { return plan.codec == first->codec; });
  const auto pad = Ref<GstPad>::adopt(gst_element_request_pad_simple(server(), "video_%u"));
  if (!pad)
    return;
  GST_INFO("%s: a viewer wants %s", GST_PAD_NAME(pad.get()), first->codec.c_str());
  streams_.push_back(std::make_unique<Stream>(GST_PAD_NAME(pad.get()), std::move(plans)));
  bring_up(*streams_.back());
}

void Keeper::stream_used(const std::string& pad, unsigned users) {
  Stream* stream = find(pad);
  if (!stream || stream->main())
    return;
  if (const guint id = std::exchange(stream->lingering, 0))
    g_source_remove(id);
  if (users == 0)
    stream->lingering = after(kLingerUs, [this, pad] {
      if (Stream* unused = find(pad)) {
        unused->lingering = 0;
        remove(*unused);
      }
    });
}

void Keeper::remove(Stream& stream) {
  GST_INFO("%s: nobody needs it any more", stream.pad.c_str());
  take_down(stream);
  if (stream.lingering)
    g_source_remove(stream.lingering);
  if (const auto pad = Ref<GstPad>::adopt(gst_element_get_static_pad(server(), stream.pad.c_str())))
    gst_element_release_request_pad(server(), pad.get());
  std::erase_if(streams_, [&](const StreamPtr& one) { return one.get() == &stream; });
}

}  // namespace vitrine
