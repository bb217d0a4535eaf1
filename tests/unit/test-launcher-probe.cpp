// SPDX-License-Identifier: LGPL-2.1-or-later
// What the probe reads without running anything: sequence parameter sets, and which GPUs a machine has.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "gpu.h"
#include "probe-stream.h"

using namespace vitrine;
namespace fs = std::filesystem;

namespace {

/// Writes bits; the counterpart of what is tested.
class Writer {
 public:
  Writer& bits(unsigned value, unsigned count) {
    while (count-- > 0)
      bits_.push_back(value >> count & 1);
    return *this;
  }
  Writer& exp(unsigned value) {
    unsigned length = 0;
    while ((value + 1) >> (length + 1))
      ++length;
    return bits(0, length).bits(value + 1, length + 1);
  }
  std::vector<uint8_t> nal() {
    std::vector<uint8_t> out = {0, 0, 0, 1};
    bits(1, 1);
    while (bits_.size() % 8)
      bits_.push_back(false);
    unsigned zeros = 0;
    for (size_t i = 0; i < bits_.size(); i += 8) {
      uint8_t byte = 0;
      for (size_t j = 0; j < 8; ++j)
        byte = static_cast<uint8_t>(byte << 1 | bits_[i + j]);
      if (zeros >= 2 && byte <= 3) {
        out.push_back(3);
        zeros = 0;
      }
      out.push_back(byte);
      zeros = byte == 0 ? zeros + 1 : 0;
    }
    return out;
  }

 private:
  std::vector<bool> bits_;
};

/// Main profile, 1920×1088. `vui` adds a bitstream_restriction with these numbers.
std::vector<uint8_t> sps(unsigned order_type, bool vui, unsigned reorder = 0, unsigned buffering = 1) {
  Writer w;
  w.bits(0x67, 8).bits(77, 8).bits(0, 8).bits(40, 8).exp(0).exp(0).exp(order_type);
  if (order_type == 0)
    w.exp(0);
  w.exp(1).bits(0, 1).exp(119).exp(67).bits(1, 1).bits(1, 1).bits(0, 1).bits(vui, 1);
  if (vui) {
    w.bits(0, 1).bits(0, 1).bits(0, 1).bits(0, 1);      // aspect, overscan, signal type, chroma location
    w.bits(1, 1).bits(1, 32).bits(120, 32).bits(1, 1);  // timing
    w.bits(0, 1).bits(0, 1).bits(0, 1);                 // no HRD, no pic_struct
    w.bits(1, 1).bits(1, 1).exp(0).exp(0).exp(10).exp(10).exp(reorder).exp(buffering);
  }
  return w.nal();
}

class Machine : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "gpu-XXXXXX").string();
    ASSERT_TRUE(mkdtemp(name.data()));
    root = name;
  }
  void TearDown() override { fs::remove_all(root); }
  void write(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(root + path).parent_path());
    std::ofstream(root + path) << text;
  }
  void add_card(const std::string& slot, const std::string& vendor, const std::string& driver, const std::string& klass = "0x030000") {
    const std::string at = "/sys/bus/pci/devices/" + slot;
    write(at + "/class", klass + "\n");
    write(at + "/vendor", vendor + "\n");
    write(at + "/device", "0x2330\n");
    if (!driver.empty())
      fs::create_symlink("../../drivers/" + driver, root + at + "/driver");
  }
  std::string root;
};

}  // namespace

TEST(SequenceParameters, AreReadWithAndWithoutVui) {
  auto found = look_into_h264(sps(2, false));
  ASSERT_TRUE(found.sps);
  EXPECT_EQ(found.sps->profile_idc, 77U);
  EXPECT_EQ(found.sps->pic_order_cnt_type, 2U);
  EXPECT_EQ(found.sps->max_num_ref_frames, 1U);
  EXPECT_FALSE(found.pps || found.idr);
  EXPECT_EQ(low_latency_problem(*found.sps), "");

  found = look_into_h264(sps(0, true));
  ASSERT_TRUE(found.sps);
  EXPECT_TRUE(found.sps->bitstream_restriction);
  EXPECT_EQ(found.sps->max_dec_frame_buffering, 1U);
  EXPECT_EQ(low_latency_problem(*found.sps), "");
}

TEST(SequenceParameters, WhatLetsDecodersWaitIsTold) {
  EXPECT_NE(low_latency_problem(*look_into_h264(sps(0, false)).sps).find("no bitstream_restriction"), std::string::npos);
  EXPECT_NE(low_latency_problem(*look_into_h264(sps(0, true, 2, 2)).sps).find("max_num_reorder_frames is 2"), std::string::npos);
  EXPECT_NE(low_latency_problem(*look_into_h264(sps(0, true, 0, 4)).sps).find("max_dec_frame_buffering is 4"), std::string::npos);
}

TEST(SequenceParameters, CutOrRandomBytesAreNoneAndHarmNobody) {
  const auto whole = sps(0, true);
  for (size_t length = 0; length < whole.size() - 1; ++length)
    look_into_h264({whole.data(), length});
  EXPECT_FALSE(look_into_h264({whole.data(), 8}).sps);
  std::vector<uint8_t> bytes(64);
  unsigned state = 1;
  for (int round = 0; round < 20000; ++round) {
    for (auto& byte : bytes)
      byte = static_cast<uint8_t>((state = state * 1664525U + 1013904223U) >> 24 & (round % 2 ? 0xff : 0x03));
    bytes[0] = bytes[1] = 0;
    bytes[2] = 1;
    bytes[3] = 0x67;
    look_into_h264(bytes);
  }
}

TEST(SequenceParameters, OtherUnitsAreSeen) {
  const std::vector<uint8_t> unit = {0, 0, 1, 0x68, 1, 0, 0, 0, 1, 0x65, 2};
  const auto found = look_into_h264(unit);
  EXPECT_TRUE(found.pps && found.idr);
  EXPECT_FALSE(found.sps);
}

TEST(SequenceParameters, EmptyUnitsAreNone) {
  const std::vector<uint8_t> unit = {0, 0, 1, 0, 0, 1, 0, 0, 1, 0x68, 1};
  EXPECT_TRUE(look_into_h264(unit).pps);
}

TEST_F(Machine, WithoutCardsHasNone) { EXPECT_TRUE(list_gpus(root).empty()); }

TEST_F(Machine, OtherDevicesAreNoGpus) {
  add_card("0000:00:02.0", "0x8086", "e1000e", "0x020000");
  EXPECT_TRUE(list_gpus(root).empty());
}

TEST_F(Machine, WhatAnNvidiaGpuLacksIsTold) {
  add_card("0000:41:00.0", "0x10de", "nvidia", "0x030200");
  ASSERT_EQ(list_gpus(root).size(), 1U);
  EXPECT_EQ(list_gpus(root)[0].problem, "NVIDIA's driver is not loaded: install it");
  write("/proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  Tue\n");
  auto gpu = list_gpus(root)[0];
  EXPECT_EQ(gpu.driver_version, "580.95.05");
  EXPECT_NE(gpu.problem.find("no /dev/nvidiactl"), std::string::npos);
  write("/dev/nvidiactl", "");
  EXPECT_NE(list_gpus(root)[0].problem.find("the container lacks NVIDIA_DRIVER_CAPABILITIES=video"), std::string::npos);
  write("/usr/lib/x86_64-linux-gnu/libnvidia-encode.so.1", "");
  gpu = list_gpus(root)[0];
  EXPECT_EQ(gpu.problem, "");
  EXPECT_EQ(describe(gpu), "NVIDIA 10de:2330 at 0000:41:00.0 (nvidia 580.95.05)");
}

TEST_F(Machine, WhatOtherGpusLackIsTold) {
  add_card("0000:00:02.0", "0x8086", "i915");
  EXPECT_EQ(list_gpus(root)[0].problem, "no /dev/dri: start the container with --device /dev/dri");
  fs::create_directories(root + "/dev/dri");
  EXPECT_EQ(list_gpus(root)[0].problem, "it has no render node in /dev/dri");
  write("/dev/dri/renderD129", "");
  fs::create_directories(root + "/sys/bus/pci/devices/0000:00:02.0/drm/renderD129");
  const auto gpu = list_gpus(root)[0];
  EXPECT_EQ(gpu.problem, "");
  EXPECT_EQ(gpu.render_node, "/dev/dri/renderD129");
}

TEST_F(Machine, GatesAndElementsAreThoseOfTheGpu) {
  add_card("0000:41:00.0", "0x10de", "nvidia");
  add_card("0000:61:00.0", "0x10de", "nvidia");
  const auto gpus = list_gpus(root);
  ASSERT_EQ(gpus.size(), 2U);
  Profile profile;
  profile.vendors = {0x10de};
  EXPECT_TRUE(gate_opens(profile, gpus[1]));
  profile.encoder.resize(1);
  profile.encoder[0].factory = "nvh264enc";
  const auto exists = [](const std::string& name) { return name == "nvh264device1enc" || name == "varenderD129h264enc"; };
  EXPECT_EQ(for_gpu(profile, gpus[0], exists).encoder[0].factory, "nvh264enc");
  EXPECT_EQ(for_gpu(profile, gpus[1], exists).encoder[0].factory, "nvh264device1enc");
  EXPECT_EQ(for_gpu(profile, gpus[1], exists).gpu, "1");
  profile.vendors = {0x1002};
  EXPECT_FALSE(gate_opens(profile, gpus[0]));
  Gpu second;
  second.vendor = 0x8086;
  second.render_node = "/dev/dri/renderD129";
  profile.encoder[0].factory = "vah264enc";
  EXPECT_EQ(for_gpu(profile, second, exists).encoder[0].factory, "varenderD129h264enc");
}
