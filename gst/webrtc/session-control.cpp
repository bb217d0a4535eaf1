// SPDX-License-Identifier: LGPL-2.1-or-later
// Who of the viewers holds control, and who is heard.
#include "webrtc/debug.h"
#include "webrtc/session-server.h"

namespace vitrine {

void SessionServer::announce_holder() {
  const std::string holder = control_.holder();
  control_output_->set_holder(holder);
  if (!talker_.empty() && talker_ != holder)
    set_talker("");
  announce_session();
  if (holder == announced_holder_)
    return;
  announced_holder_ = holder;
  for (const auto& viewer : viewers_)
    if (viewer->said_hello())
      viewer->send(holder_message(*viewer));
  for (const auto& asking : control_.asking())
    if (const Viewer* viewer = find(asking))
      ask_holder(*viewer);
}

void SessionServer::announce_session(bool again) {
  std::string viewers;
  for (const auto& viewer : viewers_)
    if (viewer->said_hello())
      viewers += (viewers.empty() ? "" : ",") + json_string(viewer->id());
  MessageWriter message("desktop/session");
  if (control_.holder().empty())
    message.null("holder");
  else
    message.text("holder", control_.holder());
  const std::string session = message.raw("viewers", "[" + viewers + "]").finish();
  if (again || session != announced_session_)
    control_output_->announce(session);
  announced_session_ = session;
}

std::string SessionServer::holder_message(const Viewer& to) {
  const Viewer* holding = find(control_.holder());
  MessageWriter message("control");
  if (holding)
    message.text("holder", holding->id()).text("name", holding->name());
  else
    message.null("holder");
  return message.boolean("you", holding == &to).finish();
}

void SessionServer::ask_holder(const Viewer& asking) {
  if (Viewer* holder = find(control_.holder()))
    holder->send(MessageWriter("control-asked").text("peer", asking.id()).text("name", asking.name()).finish());
}

void SessionServer::control_requested(Viewer& viewer) {
  control_.active(control_output_->last_input_us());
  if (control_.request(viewer.id(), g_get_monotonic_time()) == ControlHolder::Outcome::asked)
    ask_holder(viewer);
  announce_holder();
}

void SessionServer::control_released(Viewer& viewer) {
  control_.release(viewer.id());
  announce_holder();
}

void SessionServer::control_answered(Viewer& viewer, const ControlAnswerMessage& answer) {
  control_.answer(viewer.id(), answer.peer, answer.granted);
  announce_holder();
}

/// Who holds control is heard: as only one plays on the keyboard, only one speaks.
void SessionServer::microphone_asked(Viewer& viewer, bool on) {
  const bool may = viewer.may_talk() && control_.holder() == viewer.id();
  if (on && may) {
    set_talker(viewer.id());
    viewer.send(MessageWriter("microphone").boolean("on", true).finish());
  } else if (talker_ == viewer.id()) {
    set_talker("");
  } else {
    viewer.send(MessageWriter("microphone").boolean("on", false).text("reason", on ? viewer.may_talk() ? "control" : "forbidden" : "").finish());
  }
}

void SessionServer::set_talker(const std::string& id) {
  const std::string before = std::exchange(talker_, id);
  if (before == id)
    return;
  talk_output_->set_talker(id);
  host_.stream_users("mic_src", id.empty() ? 0 : 1);
  if (Viewer* former = find(before))
    former->send(MessageWriter("microphone").boolean("on", false).text("reason", control_.holder() == before ? "" : "control").finish());
}

bool SessionServer::desktop_message(Viewer& viewer, const std::string& text) {
  const auto edited = edit_desktop_message(text, "from", viewer.id().c_str());
  return edited && control_output_->push_message(viewer.id(), *edited);
}

}  // namespace vitrine
