// SPDX-License-Identifier: LGPL-2.1-or-later
// The keeper's parts that need the display: desktop, source, input.
#include "keeper.h"
#include "pipeline-builder.h"
#include "report.h"
#include "text.h"

namespace vitrine {
namespace {

void set_display(std::vector<ModelElement>& chain, const std::string& display) {
  for (auto& element : chain)
    for (auto& property : element.properties)
      if (property.name == "display-name" && !display.empty())
        property.value = display;
}

/// A display of ours, which begins larger than its screen is to be, comes back as it was.
void set_size(ModelElement& desktop, Size size) {
  for (auto& property : desktop.properties)
    if (property.name == "width" || property.name == "height")
      property.value = std::to_string(property.name == "width" ? size.width : size.height);
}

}  // namespace

void Keeper::take_down_source() {
  if (source_) {
    if (const auto size = source_->picture_size())
      size_ = size;
    source_->leave(states_);
  }
  source_.reset();
}

void Keeper::take_down_display() {
  for (const auto& stream : streams_)
    if (stream->next && stream->next->source)
      drop_next(*stream, "");
  take_down_source();
  if (input_)
    input_->leave(states_);
  input_.reset();
  if (desktop_) {
    ++desktops_leaving_;
    desktop_->leave(states_, [this] {
      --desktops_leaving_;
      bring_up_display();
    });
  }
  desktop_.reset();
  desktop_runs_ = false;
}

/// What is missing: the desktop first of all, since it gives the display its size. Pictures and input need no new one, nor it a new source.
void Keeper::bring_up_display() {
  if (!display_wanted_ || streams_.empty() || !streams_[0]->runs)
    return;
  // One that leaves gives the display back the size that it had, and must not do so to the next one.
  if (!desktop_ && desktops_leaving_ == 0)
    bring_up_desktop();
  else if (desktop_runs_ && !source_)
    bring_up_source();
}

void Keeper::bring_up_desktop() {
  std::string error;
  std::vector<ModelElement> chain = {streams_[0]->plan().model.desktop};
  if (chain[0].factory.empty()) {
    if (!source_)
      bring_up_source();
    return;
  }
  set_display(chain, display_);
  if (size_)
    set_size(chain[0], *size_);
  desktop_ = Part::make("shared", chain, error);
  if (!desktop_) {
    host_.give_up(error);
    return;
  }
  desktop_->enter(pipeline_);
  const auto words = Ref<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(pipeline_), kWords));
  if (!desktop_->link_from(control_.get()) || !desktop_->link_to(words.get(), kDesktopWords)) {
    host_.give_up(_("these elements do not fit together:") + std::string(" server, desktop"));
    return;
  }
  const Part* part = desktop_.get();
  states_.start(desktop_->bin(), [this, part](bool good) {
    if (desktop_.get() != part)
      return;
    desktop_runs_ = good;
    if (good)
      bring_up_display();
    else
      host_.display_result(false);
  });
}

std::unique_ptr<Part> Keeper::make_source(const std::vector<ModelElement>& chain, std::string& error) {
  std::vector<ModelElement> named = chain;
  set_display(named, display_);
  auto source = Part::make_source("source-" + std::to_string(++made_), named, error);
  if (source)
    source->enter(pipeline_);
  return source;
}

void Keeper::bring_up_source() {
  std::string error;
  source_chain_ = capture_chain(streams_[0]->plan().model);
  source_ = make_source(source_chain_, error);
  if (!source_) {
    host_.give_up(error);
    return;
  }
  // Before it starts, so that the first formats agreed on are those that last.
  for (const auto& stream : streams_)
    if (stream->part && stream->runs && !stream->part->link_from(*source_))
      GST_WARNING("%s: cannot link", stream->pad.c_str());
  const Part* part = source_.get();
  states_.start(source_->bin(), [this, part](bool good) {
    if (source_.get() != part)
      return;
    if (!good)
      host_.display_result(false);
    else if (!input_)
      bring_up_input();
  });
}

void Keeper::bring_up_input() {
  std::string error;
  std::vector<ModelElement> chain = {streams_[0]->plan().model.input};
  set_display(chain, display_);
  input_ = Part::make("player", chain, error);
  if (!input_) {
    host_.give_up(error);
    return;
  }
  input_->enter(pipeline_);
  if (!input_->link_from(control_.get())) {
    host_.give_up(_("these elements do not fit together:") + std::string(" server, input"));
    return;
  }
  const Part* part = input_.get();
  states_.start(input_->bin(), [this, part](bool good) {
    if (input_.get() == part)
      host_.display_result(good);
  });
}

void Keeper::display_gone() {
  display_wanted_ = false;
  take_down_display();
}

void Keeper::display_here(const std::string& display) {
  display_ = display;
  display_wanted_ = true;
  bring_up_display();
}

}  // namespace vitrine
