// SPDX-License-Identifier: LGPL-2.1-or-later
// From signals to calls.
#include "signals.h"

#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

#include <initializer_list>

namespace vitrine {

void watch_signals(GSourceFunc end, GSourceFunc reload, gpointer data) {
  signal(SIGPIPE, SIG_IGN);
  const bool on_terminal = isatty(STDIN_FILENO) || isatty(STDERR_FILENO);
  for (const int number : {SIGINT, SIGTERM, SIGHUP})
    g_unix_signal_add(number, number == SIGHUP && !on_terminal ? reload : end, data);
}

}  // namespace vitrine
