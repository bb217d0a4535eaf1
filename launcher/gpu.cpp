// SPDX-License-Identifier: LGPL-2.1-or-later
// From /sys/bus/pci, /proc/driver/nvidia and /dev.
#include "gpu.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "text.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
constexpr uint16_t kNvidia = 0x10de;

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

unsigned long number_in(const fs::path& path) { return std::strtoul(first_line(path).c_str(), nullptr, 0); }

/// "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  …": the first word made of digits and dots.
std::string nvidia_version(const std::string& root) {
  const std::string line = first_line(root + "/proc/driver/nvidia/version");
  for (size_t at = 0; at < line.size();) {
    const size_t end = std::min(line.find(' ', at), line.size());
    const std::string word = line.substr(at, end - at);
    if (word.find('.') != std::string::npos && word.find_first_not_of("0123456789.") == std::string::npos)
      return word;
    at = end + 1;
  }
  return "";
}

std::string render_node(const std::string& root, const fs::path& device, bool& exists) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(device / "drm", error)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("renderD"))
      continue;
    const std::string node = "/dev/dri/" + name;
    exists = fs::exists(root + node, error);
    return exists && access((root + node).c_str(), R_OK | W_OK) == 0 ? node : "";
  }
  exists = false;
  return "";
}

bool has_library(const std::string& root, const std::string& name) {
  std::error_code error;
  for (const char* folder : {"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/nvidia/lib64"})
    if (fs::exists(root + folder + "/" + name, error))
      return true;
  return false;
}

std::string nvidia_problem(const std::string& root, const Gpu& gpu) {
  std::error_code error;
  if (gpu.driver_version.empty())
    return gpu.driver == "nouveau" ? _("nouveau has no encoder: install NVIDIA's driver") : _("NVIDIA's driver is not loaded: install it");
  if (!fs::exists(root + "/dev/nvidiactl", error))
    return _("no /dev/nvidiactl: start the container with --gpus all, or --device nvidia.com/gpu=all");
  if (!has_library(root, "libnvidia-encode.so.1"))
    return _("no libnvidia-encode.so.1: the container lacks NVIDIA_DRIVER_CAPABILITIES=video, or the driver is not installed whole");
  return "";
}

std::string render_problem(const std::string& root, const Gpu& gpu, bool node_exists) {
  std::error_code error;
  if (gpu.driver.empty())
    return _("the kernel has no driver for it");
  if (!fs::exists(root + "/dev/dri", error))
    return _("no /dev/dri: start the container with --device /dev/dri");
  if (!node_exists)
    return _("it has no render node in /dev/dri");
  if (gpu.render_node.empty())
    return _("its render node in /dev/dri may not be opened: add the user to the group render");
  return "";
}

std::string vendor_name(uint16_t vendor) {
  for (const auto& [name, id] : known_vendors())
    if (id == vendor)
      return name == "nvidia" ? "NVIDIA" : name == "intel" ? "Intel" : "AMD";
  return "GPU";
}

}  // namespace

std::vector<Gpu> list_gpus(const std::string& root) {
  std::vector<Gpu> gpus;
  std::error_code error;
  std::vector<fs::path> devices;
  for (const auto& entry : fs::directory_iterator(root + "/sys/bus/pci/devices", error))
    devices.push_back(entry.path());
  std::sort(devices.begin(), devices.end());
  std::map<uint16_t, int> count;
  for (const auto& path : devices) {
    if (number_in(path / "class") >> 16 != 0x03)
      continue;
    Gpu gpu;
    gpu.slot = path.filename();
    gpu.vendor = static_cast<uint16_t>(number_in(path / "vendor"));
    gpu.device = static_cast<uint16_t>(number_in(path / "device"));
    gpu.driver = fs::read_symlink(path / "driver", error).filename();
    bool node_exists = false;
    gpu.render_node = render_node(root, path, node_exists);
    gpu.number = count[gpu.vendor]++;
    // Cards of servers and virtual machines that only show a console have no encoder to miss.
    if (gpu.vendor == kNvidia) {
      gpu.driver_version = nvidia_version(root);
      gpu.problem = nvidia_problem(root, gpu);
    } else if (vendor_name(gpu.vendor) != "GPU") {
      gpu.problem = render_problem(root, gpu, node_exists);
    } else {
      gpu.problem = _("no encoder of this vendor is known");
    }
    gpus.push_back(gpu);
  }
  return gpus;
}

bool gate_opens(const Profile& profile, const Gpu& gpu) {
  return std::find(profile.vendors.begin(), profile.vendors.end(), gpu.vendor) != profile.vendors.end();
}

Profile for_gpu(Profile profile, const Gpu& gpu, const std::function<bool(const std::string&)>& exists) {
  profile.gpu = gpu.vendor == kNvidia ? std::to_string(gpu.number) : "";
  const std::string node = gpu.render_node.substr(gpu.render_node.rfind('/') + 1);
  for (auto* candidates : {&profile.encoder, &profile.all_encoders})
    for (auto& candidate : *candidates) {
      std::string named = candidate.factory;
      if (named.starts_with("va"))
        named.insert(2, node);
      else if (named.starts_with("nv") && named.ends_with("enc") && gpu.number > 0)
        named.insert(named.size() - 3, "device" + std::to_string(gpu.number));
      if (exists(named))
        candidate.factory = named;
    }
  return profile;
}

std::string describe(const Gpu& gpu) {
  char ids[16];
  std::snprintf(ids, sizeof ids, "%04x:%04x", gpu.vendor, gpu.device);
  std::string out = vendor_name(gpu.vendor) + " " + ids + " " + _("at") + " " + gpu.slot;
  if (!gpu.driver.empty())
    out += " (" + gpu.driver + (gpu.driver_version.empty() ? "" : " " + gpu.driver_version) + ")";
  return out;
}

}  // namespace vitrine
