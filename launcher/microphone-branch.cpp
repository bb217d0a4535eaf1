// SPDX-License-Identifier: LGPL-2.1-or-later
// The microphone comes and goes.
#include "microphone-branch.h"

#include <utility>

#include "pipeline-builder.h"
#include "report.h"
#include "sound-names.h"
#include "text.h"

namespace vitrine {
namespace {

constexpr guint kAgainMs = 1000;

/// Without the clock: what comes is played at once, behind what was there before. A packet that cannot be decoded is left out, however
/// many there are.
const std::vector<ModelElement>& talk_chain() {
  static const std::vector<ModelElement> chain = {{"opusdec", "", {{"max-errors", "-1", ""}}},
                                                  {"audioconvert", "", {}},
                                                  {"pulsesink", "",
                                                   {{"device", kTalkSinkName, ""},
                                                    {"client-name", "Vitrine", ""},
                                                    {"provide-clock", "false", ""},
                                                    {"sync", "false", ""},
                                                    {"async", "false", ""},
                                                    {"buffer-time", "60000", ""},
                                                    {"latency-time", "10000", ""}}}};
  return chain;
}

}  // namespace

MicrophoneBranch::MicrophoneBranch(GstElement* pipeline, StateChanges& states, Tell tell)
    : pipeline_(pipeline), states_(states), tell_(std::move(tell)), watch_({nullptr, nullptr, [this] { failed(); }}) {}

std::unique_ptr<MicrophoneBranch> MicrophoneBranch::make(GstElement* pipeline, StateChanges& states, Tell tell) {
  for (const auto& element : talk_chain())
    if (!element_exists(element.factory)) {
      GST_WARNING("no microphone: there is no element %s", element.factory.c_str());
      return nullptr;
    }
  std::unique_ptr<MicrophoneBranch> branch(new MicrophoneBranch(pipeline, states, std::move(tell)));
  const auto server = Ref<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(pipeline), "server"));
  // It takes packets also while there is nothing behind it.
  branch->tee_ = gst_element_factory_make("tee", "microphone");
  g_object_set(branch->tee_, "allow-not-linked", TRUE, nullptr);
  gst_bin_add(GST_BIN(pipeline), branch->tee_);
  const auto pad = Ref<GstPad>::adopt(gst_element_request_pad_simple(server.get(), kPad));
  if (!pad || !gst_element_link_pads(server.get(), kPad, branch->tee_, "sink"))
    return nullptr;
  return branch;
}

MicrophoneBranch::~MicrophoneBranch() {
  speaking_ = false;
  take_down();
}

void MicrophoneBranch::set_speaking(bool speaking) {
  speaking_ = speaking;
  if (speaking) {
    attempt();
    return;
  }
  take_down();
  if (!watch_.holds_microphone())
    watch_.disconnect();
  if (std::exchange(told_, false))
    tell_(kTopicMicrophone, "");
}

void MicrophoneBranch::attempt() {
  if (part_)
    return;
  if (!sound_server_answers()) {
    failed();
    return;
  }
  watch_.make_microphone([this](bool good) {
    if (!speaking_ || part_)
      return;
    if (good)
      bring_up();
    else
      failed();
  });
}

void MicrophoneBranch::bring_up() {
  std::string error;
  part_ = Part::make("microphone-branch", talk_chain(), error);
  if (!part_) {
    GST_WARNING("no microphone: %s", error.c_str());
    failed();
    return;
  }
  part_->enter(pipeline_);
  // Linked once it can take packets.
  states_.start(part_->bin(), [this, generation = ++generation_](bool good) {
    if (generation != generation_)
      return;
    if (!good || !part_->link_from(tee_)) {
      failed();
      return;
    }
    GST_INFO("the microphone is on");
    if (std::exchange(told_, false))
      tell_(kTopicMicrophone, "");
  });
}

void MicrophoneBranch::failed() {
  take_down();
  if (!speaking_)
    return;
  if (!std::exchange(told_, true))
    tell_(kTopicMicrophone, N_("The desktop does not hear you: there is no sound server."));
  timer_ = g_timeout_add(
      kAgainMs,
      [](gpointer data) -> gboolean {
        auto* self = static_cast<MicrophoneBranch*>(data);
        self->timer_ = 0;
        self->attempt();
        return G_SOURCE_REMOVE;
      },
      this);
}

void MicrophoneBranch::take_down() {
  if (timer_)
    g_source_remove(std::exchange(timer_, 0));
  if (part_)
    part_->leave(states_);
  part_.reset();
  ++generation_;
}

}  // namespace vitrine
