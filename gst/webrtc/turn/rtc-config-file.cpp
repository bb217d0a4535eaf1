// SPDX-License-Identifier: LGPL-2.1-or-later
// Watching an RTC configuration file.
#include "webrtc/turn/rtc-config-file.h"

#include <fstream>
#include <sstream>

#include "webrtc/debug.h"

namespace vitrine {

bool read_rtc_config_file(const std::string& path, RtcConfiguration& configuration, std::string& error) {
  std::ifstream file(path, std::ios::binary);
  std::string text(RtcConfiguration::kTextMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::max<std::streamsize>(0, file.gcount())));
  if (!file.is_open() || file.bad()) {
    error = "'" + path + "' cannot be read";
    return false;
  }
  std::string problem;
  auto read = parse_rtc_configuration(text, problem);
  if (!read) {
    error = "'" + path + "': " + problem;
    return false;
  }
  configuration = std::move(*read);
  return true;
}

RtcConfigFile::RtcConfigFile(std::string path, RtcConfiguration first, std::function<void()> changed)
    : path_(std::move(path)), changed_(std::move(changed)), configuration_(std::move(first)) {
  stat(path_.c_str(), &seen_);
  timer_ = Ref<GSource>::adopt(g_timeout_source_new(kLookMs));
  g_source_set_callback(
      timer_.get(),
      [](gpointer self) -> gboolean {
        static_cast<RtcConfigFile*>(self)->look();
        return G_SOURCE_CONTINUE;
      },
      this, nullptr);
  g_source_attach(timer_.get(), g_main_context_get_thread_default());
}

RtcConfigFile::~RtcConfigFile() { g_source_destroy(timer_.get()); }

void RtcConfigFile::look() {
  struct stat now {};
  const bool there = stat(path_.c_str(), &now) == 0;
  const auto same = [&](const struct stat& other) {
    return now.st_ino == other.st_ino && now.st_dev == other.st_dev && now.st_size == other.st_size &&
           now.st_mtim.tv_sec == other.st_mtim.tv_sec && now.st_mtim.tv_nsec == other.st_mtim.tv_nsec;
  };
  if (same(seen_))
    return;
  seen_ = now;
  std::string error;
  RtcConfiguration read;
  if (!there || !read_rtc_config_file(path_, read, error)) {
    GST_WARNING("rtc-config-file: %s; the last good configuration stays", there ? error.c_str() : "it is gone");
    return;
  }
  if (read == configuration_)
    return;
  configuration_ = std::move(read);
  GST_INFO("rtc-config-file: taken over, %zu servers", configuration_.servers.size());
  changed_();
}

}  // namespace vitrine
