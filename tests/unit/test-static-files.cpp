// SPDX-License-Identifier: LGPL-2.1-or-later
#include "webrtc/static-files.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace vitrine {
namespace {

namespace fs = std::filesystem;

class StaticFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/vitrine-static-XXXXXX";
    folder = mkdtemp(name);
    fs::create_directories(folder / "web/assets");
    for (const char* file : {"secret.html", "web/index.html", "web/assets/main-1.js", "web/.hidden.html", "web/notes.bin"})
      std::ofstream(folder / file) << "x";
    fs::create_symlink(folder / "secret.html", folder / "web/out.html");
    fs::create_symlink(folder / "web/index.html", folder / "web/in.html");
  }
  void TearDown() override { fs::remove_all(folder); }
  auto find(const std::string& path) { return find_static_file((folder / "web").string(), path); }
  fs::path folder;
};

TEST_F(StaticFiles, AreFound) {
  EXPECT_EQ(find("/")->path, fs::canonical(folder / "web/index.html"));
  EXPECT_STREQ(find("/")->cache_control, "no-cache");
  EXPECT_STREQ(find("/assets/main-1.js")->content_type, "text/javascript; charset=utf-8");
  EXPECT_NE(std::string(find("/assets/main-1.js")->cache_control).find("immutable"), std::string::npos);
  EXPECT_TRUE(find("/in.html"));
}

TEST_F(StaticFiles, AreNotFoundOutsideOrHidden) {
  for (const char* path : {"", "index.html", "/../secret.html", "/assets/../../secret.html", "/out.html", "/.hidden.html", "/assets",
                           "/assets/", "/notes.bin", "/nothing.html", "//etc/passwd", "/..\\secret.html", "/./index.html"})
    EXPECT_FALSE(find(path)) << path;
  EXPECT_FALSE(find(std::string("/index.html\0.js", 15)));
  EXPECT_FALSE(find("/" + std::string(5000, 'a') + ".html"));
  EXPECT_FALSE(find_static_file("", "/index.html"));
  EXPECT_FALSE(find_static_file("/nonexistent", "/"));
}

}  // namespace
}  // namespace vitrine
