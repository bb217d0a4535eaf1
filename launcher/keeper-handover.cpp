// SPDX-License-Identifier: LGPL-2.1-or-later
// From an encoder that works to a better one: that is started beside it, and takes over once it runs, between two pictures.
#include <algorithm>
#include <utility>

#include "keeper.h"
#include "report.h"

namespace vitrine {

void Keeper::change_plans(std::vector<VideoPlan> plans, std::vector<VideoPlan> others) {
  others_ = std::move(others);
  Stream& stream = *streams_.front();
  if (stream.next)
    drop_next(stream, "");
  // What has failed in this session rests on, whatever was found out elsewhere.
  CandidateChoice choice(plans.size());
  const auto place_of = [&plans](const VideoPlan& plan) {
    return std::find_if(plans.begin(), plans.end(), [&plan](const VideoPlan& one) { return same_elements(one.model.video, plan.model.video); });
  };
  for (size_t i = 0; i < stream.plans.size(); ++i)
    if (const auto at = place_of(stream.plans[i]); at != plans.end())
      choice.inherit(static_cast<size_t>(at - plans.begin()), stream.choice, i);
  // The present one is the last to try where it is not among them.
  auto present = static_cast<size_t>(place_of(stream.plan()) - plans.begin());
  if (present == plans.size()) {
    plans.push_back(stream.plan());
    choice.add();
    choice.inherit(present, stream.choice, stream.current);
  }
  stream.plans = std::move(plans);
  stream.choice = std::move(choice);
  stream.current = present;
  const size_t best = stream.choice.best(g_get_monotonic_time());
  // One that is not running yet, or waits to be tried again, is followed by the best anyway.
  if (best != present && stream.runs)
    go_over(stream, best);
}

void Keeper::set_most_bitrate(unsigned kbit) {
  for (const auto& stream : streams_)
    if (stream->target.kbit == 0 || stream->target.kbit > kbit)
      set_bitrate(stream->pad, kbit);
}

void Keeper::go_over(Stream& stream, size_t candidate) {
  const PipelineModel& model = stream.plans[candidate].model;
  stream.next = std::make_unique<Next>();
  Next& next = *stream.next;
  next.candidate = candidate;
  next.began_us = g_get_monotonic_time();
  std::string error;
  next.part = make_encoder(stream, model, error);
  if (next.part && stream.main() && source_ && !same_elements(source_chain_, capture_chain(model))) {
    next.source_chain = capture_chain(model);
    next.source = make_source(next.source_chain, error);
  }
  if (!error.empty()) {
    drop_next(stream, error);
    return;
  }
  for (Part* part : {next.part.get(), next.source.get()}) {
    if (!part)
      continue;
    ++next.missing;
    states_.start(part->bin(), [this, part](bool good) {
      const auto found = std::find_if(streams_.begin(), streams_.end(), [part](const StreamPtr& one) {
        return one->next && (one->next->part.get() == part || one->next->source.get() == part);
      });
      if (found != streams_.end())
        next_started(**found, good);
    });
  }
}

void Keeper::next_started(Stream& stream, bool good) {
  if (!good)
    drop_next(stream, "no start");
  else if (--stream.next->missing == 0)
    take_over(stream);
}

void Keeper::take_over(Stream& stream) {
  const auto next = std::move(stream.next);
  // Without a display the source comes with it.
  const bool displayed = source_ != nullptr;
  if (stream.main() && !displayed && next->source)
    next->source->leave(states_);
  take_down(stream);
  if (displayed && next->source) {
    take_down_source();
    source_ = std::move(next->source);
    source_chain_ = std::move(next->source_chain);
  }
  stream.part = std::move(next->part);
  stream.current = next->candidate;
  stream.watch = {};
  stream.began_us = g_get_monotonic_time();
  stream.failed_us = 0;
  stream.working_since_us = 0;
  if (!stream.part->link_to(server(), stream.pad.c_str())) {
    build_failed(stream, "encoder, server");
    return;
  }
  GST_INFO("%s: %s takes over", stream.pad.c_str(), stream.plan().encoder.c_str());
  stream.runs = true;
  if (!source_) {
    bring_up_display();
    return;
  }
  const Part* kept = source_.get();
  // All of them where the source is another.
  std::vector<std::string> pads;
  for (const auto& one : streams_)
    if (one->part && one->runs && !one->part->linked())
      pads.push_back(one->pad);
  for (const auto& pad : pads)
    if (Stream* one = find(pad); one && source_.get() == kept)
      join(*one);
}

/// The one that works goes on.
void Keeper::drop_next(Stream& stream, const std::string& why) {
  const auto next = std::move(stream.next);
  if (!why.empty()) {
    GST_WARNING("%s: %s does not take over: %s", stream.pad.c_str(), stream.plans[next->candidate].encoder.c_str(), why.c_str());
    stream.choice.failed(next->candidate, g_get_monotonic_time());
  }
  for (auto* part : {&next->part, &next->source})
    if (*part)
      (*part)->leave(states_);
}

}  // namespace vitrine
