// SPDX-License-Identifier: LGPL-2.1-or-later
// Signals that say what to do, heard by the main loop.
#pragma once

#include <glib.h>

namespace vitrine {

/// Calls `end` on SIGINT and SIGTERM, and `reload` on SIGHUP, which says to a service that its settings have changed; on a terminal it says
/// that this is gone, and ends too. SIGPIPE is ignored.
void watch_signals(GSourceFunc end, GSourceFunc reload, gpointer data);

}  // namespace vitrine
