// SPDX-License-Identifier: LGPL-2.1-or-later
// Lines about what happens: for people, for the journal, or as JSON.
#pragma once

#include <string>

namespace vitrine {

/// Numbers of syslog(3), which the journal understands too.
enum class LogLevel : int { error = 3, warning = 4, info = 6, debug = 7 };
enum class LogFormat { text, json };

/// Lines of this level and worse are written. With debug Vitrine's elements say more, unless GST_DEBUG has them say even more. To be called after
/// gst_init(); elements that are loaded later are heard too.
void set_log_level(LogLevel least);
/// "error", "warning", "info" or "debug".
LogLevel log_level_from(const std::string& name);

/// With json, all that GStreamer and GLib say is written so too.
void set_log_format(LogFormat format);
LogFormat log_format();

/// One line on stderr, whatever `text` holds. Any thread.
void log_line(LogLevel level, const std::string& text);

/// The line itself, without its newline. `time_us` since 1970, `category` may be empty. Pure.
std::string json_line(LogLevel level, long long time_us, const std::string& category, const std::string& text);
/// Bytes as a JSON string; what is no UTF-8 becomes U+FFFD. Pure.
std::string json_string(const std::string& text);

}  // namespace vitrine
