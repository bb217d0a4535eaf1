// SPDX-License-Identifier: LGPL-2.1-or-later
// What makes a report old: another file of an encoder.
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "probe-cache.h"

using namespace vitrine;
namespace fs = std::filesystem;

namespace {

class Marks : public testing::Test {
 protected:
  Marks() {
    char name[] = "/tmp/probe-cache-test-XXXXXX";
    root_ = mkdtemp(name);
  }
  ~Marks() override { fs::remove_all(root_); }
  fs::path place(const std::string& path) {
    const fs::path file = root_ + path;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << "library";
    return file;
  }
  std::string marks() const { return library_marks(root_); }
  std::string root_;
};

}  // namespace

TEST_F(Marks, AnotherLibraryOrDriverIsSeen) {
  EXPECT_EQ(marks(), "");
  std::string before;
  for (const char* path : {"/usr/lib/x86_64-linux-gnu/libx264.so.164", "/usr/lib/x86_64-linux-gnu/dri/iHD_drv_video.so", "/usr/lib64/dri/radeonsi_drv_video.so",
                           "/usr/local/lib/libvpx.so.7"}) {
    const fs::path file = place(path);
    EXPECT_NE(marks(), before) << path;
    before = marks();
    EXPECT_EQ(marks(), before);
    // The same name and size, as after an upgrade.
    fs::last_write_time(file, fs::last_write_time(file) + std::chrono::seconds(1));
    EXPECT_NE(marks(), before) << path;
    before = marks();
  }
}

TEST_F(Marks, OtherLibrariesDoNotMatter) {
  place("/usr/lib/x86_64-linux-gnu/libgtk-4.so.1");
  place("/usr/lib/x86_64-linux-gnu/libdrm.so.2");
  EXPECT_EQ(marks(), "");
}

TEST(Key, HoldsFromOneCallToTheNext) {
  gst_init(nullptr, nullptr);
  EXPECT_EQ(probe_key({}), probe_key({}));
  Gpu gpu;
  gpu.slot = "0000:01:00.0";
  EXPECT_NE(probe_key({gpu}), probe_key({}));
}
