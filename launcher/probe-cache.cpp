// SPDX-License-Identifier: LGPL-2.1-or-later
// Key and file.
#include "probe-cache.h"

#include <fcntl.h>
#include <glib.h>
#include <gst/gst.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "common/ref.h"
#include "common/unique-fd.h"
#include "profile-files.h"
#include "text.h"
#include "vitrine-config.h"

namespace vitrine {
namespace {

std::string folder() { return std::string(g_get_user_cache_dir()) + "/vitrine"; }

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      return line;
  return "";
}

/// Ours, and nobody else may write it: what it names is only a profile, but a foreign one need not be believed.
bool is_private(const std::string& path) {
  struct stat info {};
  return lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid() && (info.st_mode & 022) == 0;
}

/// Changes when the file does; empty if there is none.
std::string mark_of(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0)
    return "";
  return path + ' ' + std::to_string(info.st_size) + ' ' + std::to_string(info.st_mtim.tv_sec) + '.' + std::to_string(info.st_mtim.tv_nsec) + '\n';
}

/// Of the plugins that have an encoder.
std::string plugin_marks() {
  std::set<std::string> marks;
  GList* factories = gst_element_factory_list_get_elements(GST_ELEMENT_FACTORY_TYPE_VIDEO_ENCODER, GST_RANK_NONE);
  for (GList* item = factories; item; item = item->next) {
    const auto plugin = Ref<GstPlugin>::adopt(gst_plugin_feature_get_plugin(GST_PLUGIN_FEATURE(item->data)));
    if (plugin && gst_plugin_get_filename(plugin.get()))
      marks.insert(mark_of(gst_plugin_get_filename(plugin.get())));
  }
  gst_plugin_feature_list_free(factories);
  std::string all;
  for (const auto& mark : marks)
    all += mark;
  return all;
}

bool encodes(const std::string& library) {
  for (const char* start : {"libx264.so", "libx265.so", "libvpx.so", "libaom.so", "libSvtAv1Enc.so", "librav1e.so", "libopenh264.so", "libva.so",
                            "libgallium", "libnvidia-encode.so", "libmfx", "libvpl"})
    if (library.starts_with(start))
      return true;
  return library.ends_with("_drv_video.so");
}

}  // namespace

std::string library_marks(const std::string& root) {
  namespace fs = std::filesystem;
  std::set<std::string> marks;
  for (const char* base : {"/usr/lib", "/usr/lib64", "/usr/local/lib"}) {
    std::error_code error;
    std::vector<fs::path> folders = {root + base, root + base + "/dri"};
    // One for each architecture: x86_64-linux-gnu.
    for (const auto& entry : fs::directory_iterator(root + base, error))
      if (entry.path().filename().string().find("-linux-") != std::string::npos)
        folders.insert(folders.end(), {entry.path(), entry.path() / "dri"});
    for (const auto& folder : folders)
      for (const auto& entry : fs::directory_iterator(folder, error))
        if (encodes(entry.path().filename()))
          marks.insert(mark_of(entry.path()));
  }
  std::string all;
  for (const auto& mark : marks)
    all += mark;
  return all;
}

std::string probe_key(const std::vector<Gpu>& gpus) {
  std::ostringstream text;
  text << VITRINE_VERSION << '\n' << GCharPtr(gst_version_string()).get() << '\n' << processor() << '\n' << g_get_num_processors() << '\n';
  utsname system{};
  uname(&system);
  text << system.release << '\n' << plugin_marks() << library_marks("");
  for (const auto& gpu : gpus)
    text << describe(gpu) << ' ' << gpu.render_node << ' ' << gpu.problem << '\n';
  for (const auto& [name, path] : list_profiles())
    for (const auto& source : profile_sources(path))
      text << source.path << '\n' << source.text << '\n';
  const GCharPtr sum(g_compute_checksum_for_string(G_CHECKSUM_SHA256, text.str().c_str(), -1));
  return sum.get();
}

std::optional<ProbeReport> cached_report(const std::string& key) {
  const std::string path = folder() + "/probe.json";
  if (!is_private(path))
    return std::nullopt;
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  auto report = report_from_json(text.str());
  return report && report->key == key ? report : std::nullopt;
}

bool keep_report(const ProbeReport& report, std::string& error) {
  const std::string path = folder() + "/probe.json", fresh = path + "." + std::to_string(getpid());
  const std::string text = to_json(report);
  bool good = g_mkdir_with_parents(folder().c_str(), 0700) == 0;
  if (good) {
    const UniqueFd file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    good = file.get() >= 0 && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  }
  good = good && rename(fresh.c_str(), path.c_str()) == 0;
  if (!good) {
    error = path + ": " + _("cannot be written:") + " " + g_strerror(errno);
    unlink(fresh.c_str());
  }
  return good;
}

}  // namespace vitrine
