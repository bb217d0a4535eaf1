// SPDX-License-Identifier: LGPL-2.1-or-later
// Which GPUs the machine has, and what keeps Vitrine from using them. Reads sysfs and /proc below a root, so that tests can give their own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "profile.h"

namespace vitrine {

struct Gpu {
  std::string slot;            // PCI address, "0000:01:00.0"
  uint16_t vendor = 0, device = 0;
  std::string driver;          // of the kernel: "nvidia", "i915"; empty if none is bound
  std::string driver_version;  // where the driver tells: NVIDIA's
  std::string render_node;     // "/dev/dri/renderD128"; empty if there is none or it cannot be opened
  int number = 0;              // among GPUs of its vendor, in the order of slots
  std::string problem;         // why it cannot be used, and what to do; empty if nothing is known
};

/// Display controllers (PCI class 03), in the order of slots. `root` is "" but in tests.
std::vector<Gpu> list_gpus(const std::string& root = "");

/// Whether a profile is for this GPU.
bool gate_opens(const Profile& profile, const Gpu& gpu);

/// The profile with the elements of this GPU: GStreamer names those of a second one after its render node or number.
Profile for_gpu(Profile profile, const Gpu& gpu, const std::function<bool(const std::string&)>& exists);

/// "NVIDIA 10de:2330 at 0000:01:00.0 (nvidia 580.95)".
std::string describe(const Gpu& gpu);

}  // namespace vitrine
