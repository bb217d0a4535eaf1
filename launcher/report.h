// SPDX-License-Identifier: LGPL-2.1-or-later
// What the command tells people: exit statuses, errors, and where the session can be seen.
#pragma once

#include <gst/gst.h>

#include <string>

#include "settings.h"

GST_DEBUG_CATEGORY_EXTERN(vitrine_debug);
#define GST_CAT_DEFAULT vitrine_debug

namespace vitrine {

enum ExitStatus : int {
  kExitOk = 0,
  kExitFailure = 1,
  kExitUsage = 2,
  kExitDisplay = 3,
  kExitPort = 4,
  kExitMissing = 5,
  kExitNotRunnable = 126,
  kExitNotFound = 127,
};

/// One line on stderr; returns `status`.
int complain(int status, const std::string& what);

/// Says what an error on the pipeline's bus means and what to do; returns the exit status that stands for it. `display` is empty for
/// $DISPLAY; `is_private` if it is the session's own.
int complain_about(GstMessage* message, const std::string& display, bool is_private);

/// Where to point the browser, and the one-time password if there is one, on stdout.
void print_where(const Settings& settings, const std::string& one_time_password);

/// --version: Vitrine, its plugins with their versions and files, GStreamer. After gst_init().
std::string version_text();

/// A new one, of about 79 bits.
std::string make_one_time_password();

}  // namespace vitrine
