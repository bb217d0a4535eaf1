// SPDX-License-Identifier: LGPL-2.1-or-later
// Formats of log lines.
#include "log.h"

#include <glib.h>
#include <gst/gst.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace vitrine {
namespace {

std::atomic<LogFormat> format_{LogFormat::text};
std::atomic<LogLevel> least_{LogLevel::info};

/// Of the command and its elements.
constexpr const char* kCategories[] = {"vitrine",        "webrtcsignallerbin", "rtpdesktopcc", "ximagesrc-shm", "ximagesrc-cuda", "nvstreamenc",
                                       "x11inputsink", "x11desktop", "virtualgamepads"};

/// Whether stderr is the journal's: systemd.exec(5), $JOURNAL_STREAM.
bool journal() {
  static const bool is = [] {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat about {};
    unsigned long long device = 0, inode = 0;
    return stream && std::sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &about) == 0 &&
           about.st_dev == device && about.st_ino == inode;
  }();
  return is;
}

/// In one call, so that lines of several threads do not mix.
void write_line(const std::string& line) { std::fputs((line + "\n").c_str(), stderr); }

void write_json(LogLevel level, const std::string& category, const std::string& text) {
  write_line(json_line(level, g_get_real_time(), category, text));
}

void on_gstreamer(GstDebugCategory* category, GstDebugLevel level, const gchar* file, const gchar* function, gint line, GObject* object,
                  GstDebugMessage* message, gpointer) {
  if (level > gst_debug_category_get_threshold(category))
    return;
  const LogLevel ours = level <= GST_LEVEL_ERROR ? LogLevel::error : level <= GST_LEVEL_FIXME ? LogLevel::warning : LogLevel::info;
  write_json(ours, gst_debug_category_get_name(category), gst_debug_message_get(message));
}

GLogWriterOutput on_glib(GLogLevelFlags level, const GLogField* fields, gsize count, gpointer) {
  if ((level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE)) == 0)
    return G_LOG_WRITER_HANDLED;
  std::string domain, text;
  for (gsize i = 0; i < count; ++i) {
    std::string* to = std::string(fields[i].key) == "MESSAGE" ? &text : std::string(fields[i].key) == "GLIB_DOMAIN" ? &domain : nullptr;
    if (to && fields[i].value)
      *to = fields[i].length < 0 ? static_cast<const char*>(fields[i].value)
                                 : std::string(static_cast<const char*>(fields[i].value), static_cast<size_t>(fields[i].length));
  }
  write_json(level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL) ? LogLevel::error : LogLevel::warning, domain, text);
  return G_LOG_WRITER_HANDLED;
}

}  // namespace

LogLevel log_level_from(const std::string& name) {
  return name == "error" ? LogLevel::error : name == "warning" ? LogLevel::warning : name == "debug" ? LogLevel::debug : LogLevel::info;
}

void set_log_level(LogLevel least) {
  const LogLevel before = least_.exchange(least);
  // Patterns, which count for categories that come later too. Where GST_DEBUG says something it has the last word again.
  if ((least == LogLevel::debug) == (before == LogLevel::debug))
    return;
  for (const char* category : kCategories) {
    if (least == LogLevel::debug)
      gst_debug_set_threshold_for_name(category, GST_LEVEL_DEBUG);
    else
      gst_debug_unset_threshold_for_name(category);
  }
  if (const char* wanted = std::getenv("GST_DEBUG"))
    gst_debug_set_threshold_from_string(wanted, FALSE);
}

void set_log_format(LogFormat format) {
  if (format == format_.exchange(format))
    return;
  if (format == LogFormat::text) {
    gst_debug_remove_log_function(on_gstreamer);
    gst_debug_add_log_function(gst_debug_log_default, nullptr, nullptr);
    return;
  }
  gst_debug_remove_log_function(gst_debug_log_default);
  gst_debug_add_log_function(on_gstreamer, nullptr, nullptr);
  // GLib takes one writer for good.
  static const bool once = [] {
    g_log_set_writer_func(
        [](GLogLevelFlags level, const GLogField* fields, gsize count, gpointer) -> GLogWriterOutput {
          return log_format() == LogFormat::json ? on_glib(level, fields, count, nullptr)
                                                 : g_log_writer_default(level, fields, count, nullptr);
        },
        nullptr, nullptr);
    return true;
  }();
  static_cast<void>(once);
}

LogFormat log_format() { return format_; }

void log_line(LogLevel level, const std::string& text) {
  if (level > least_)
    return;
  if (log_format() == LogFormat::json) {
    write_json(level, "", text);
    return;
  }
  std::string line = text;
  std::replace(line.begin(), line.end(), '\n', ' ');
  write_line((journal() ? "<" + std::to_string(static_cast<int>(level)) + ">" : std::string()) + "vitrine: " + line);
}

std::string json_string(const std::string& text) {
  const std::unique_ptr<char, decltype(&g_free)> valid(g_utf8_make_valid(text.c_str(), static_cast<gssize>(text.size())), g_free);
  std::string out = "\"";
  for (const char* c = valid.get(); *c; ++c) {
    char escaped[8];
    if (*c == '"' || *c == '\\') {
      out += std::string("\\") + *c;
    } else if (static_cast<unsigned char>(*c) < 0x20 || *c == 0x7f) {
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(*c));
      out += escaped;
    } else {
      out += *c;
    }
  }
  return out + "\"";
}

std::string json_line(LogLevel level, long long time_us, const std::string& category, const std::string& text) {
  const time_t seconds = static_cast<time_t>(time_us / 1000000);
  struct tm parts {};
  gmtime_r(&seconds, &parts);
  char time[64];
  std::snprintf(time, sizeof time, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                parts.tm_hour, parts.tm_min, parts.tm_sec, static_cast<int>(time_us / 1000 % 1000));
  const char* name = level == LogLevel::error ? "error" : level == LogLevel::warning ? "warning" : level == LogLevel::info ? "info" : "debug";
  return std::string("{\"time\":\"") + time + "\",\"level\":\"" + name + "\"" +
         (category.empty() ? "" : ",\"category\":" + json_string(category)) + ",\"message\":" + json_string(text) + "}";
}

}  // namespace vitrine
