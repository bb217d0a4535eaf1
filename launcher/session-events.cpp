// SPDX-License-Identifier: LGPL-2.1-or-later
// What a session is told while it runs: signals, messages on the bus, children that ended.
#include "log.h"
#include "process.h"
#include "report.h"
#include "session-body.h"
#include "signals.h"
#include "text.h"

namespace vitrine {

void Session::watch_signals() {
  vitrine::watch_signals(
      [](gpointer self) -> gboolean {
        static_cast<Session*>(self)->finish(kExitOk);
        return G_SOURCE_CONTINUE;
      },
      [](gpointer self) -> gboolean {
        static_cast<Session*>(self)->reload();
        return G_SOURCE_CONTINUE;
      },
      this);
}

void Session::watch_child(pid_t pid) {
  g_child_watch_add(
      pid, [](GPid ended, gint status, gpointer self) { static_cast<Session*>(self)->on_child(ended, exit_status_of(status)); }, this);
}

void Session::on_message(GstMessage* message) {
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR && !finished())
    on_error(message);
  // The server's are about settings; others' come and go with what is rebuilt.
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING && g_strcmp0(GST_MESSAGE_SRC_NAME(message), "server") == 0) {
    ErrorSlot warning;
    gst_message_parse_warning(message, warning.out(), nullptr);
    log_line(LogLevel::warning, warning.message());
  }
}

void Session::on_error(GstMessage* message) {
  const auto owner = keeper_->owner(GST_MESSAGE_SRC(message));
  if (audio_ && audio_->holds(GST_MESSAGE_SRC(message))) {
    audio_->failed(message);
  } else if (microphone_ && microphone_->holds(GST_MESSAGE_SRC(message))) {
    microphone_->failed();
  } else if (owner == Keeper::Owner::encoder) {
    keeper_->encoder_error(message);
  } else if (owner == Keeper::Owner::display && started_) {
    on_display_lost();
  } else if (owner != Keeper::Owner::none && may_complain()) {
    finish(complain_about(message, display_, xserver_ != nullptr));
  }
}

/// Where the program is to end with its first crash, it ends with its display too.
void Session::on_display_lost() {
  if (xserver_ && program_->wanted() && program_->policy() == ProgramKeeper::Policy::never)
    fail(kExitDisplay, _("the private X server has ended"));
  else
    display_keeper_->lost();
}

void Session::on_display_result(bool good) {
  if (started_)
    display_keeper_->result(good);
  else if (good)
    start_program();
  else
    fail(kExitFailure, _("the pipeline does not start"));
}

void Session::on_child(pid_t pid, int status) {
  if (finished())
    return;
  if (program_ && pid == program_->pid()) {
    program_->ended(status);
  } else if (sound_server_ && pid == sound_server_->pid()) {
    sound_server_->ended(status);
  } else if (xserver_ && pid == xserver_->pid()) {
    if (!started_ || (program_->wanted() && program_->policy() == ProgramKeeper::Policy::never)) {
      xserver_->forget();
      fail(kExitDisplay, std::string(_("the private X server has ended with status")) + " " + std::to_string(status));
    } else {
      display_keeper_->server_ended(status);
    }
  }
}

}  // namespace vitrine
