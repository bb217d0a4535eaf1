// SPDX-License-Identifier: LGPL-2.1-or-later
#include "webrtc/static-files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

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

TEST_F(StaticFiles, HaveTheTypeOfTheirName) {
  const std::pair<const char*, const char*> files[] = {
      {"a.html", "text/html; charset=utf-8"}, {"a.js", "text/javascript; charset=utf-8"}, {"a.css", "text/css; charset=utf-8"},
      {"a.json", "application/json"},         {"a.svg", "image/svg+xml"},                 {"a.png", "image/png"},
      {"a.wasm", "application/wasm"},         {"a.js.map", "application/json"},           {"a.woff2", "font/woff2"},
  };
  for (const auto& [name, type] : files) {
    std::ofstream(folder / "web" / name) << "x";
    const auto file = find(std::string("/") + name);
    ASSERT_TRUE(file) << name;
    EXPECT_STREQ(file->content_type, type);
  }
  EXPECT_FALSE(find("/a.HTML"));
  EXPECT_FALSE(find("/html"));
}

TEST_F(StaticFiles, AreFilesAndNothingElse) {
  fs::create_directories(folder / "web/folder.html/.git");
  ASSERT_EQ(mkfifo((folder / "web/pipe.html").c_str(), 0600), 0);
  fs::create_symlink("loop.html", folder / "web/loop.html");
  fs::create_directory_symlink(folder, folder / "web/up");
  fs::create_directories(folder / "website");
  std::ofstream(folder / "website/x.html") << "x";
  fs::create_symlink(folder / "website/x.html", folder / "web/sibling.html");
  std::ofstream(folder / "web/folder.html/.git/x.html") << "x";
  for (const char* path : {"/folder.html", "/pipe.html", "/loop.html", "/up/secret.html", "/sibling.html", "/folder.html/.git/x.html",
                           "/index.html/", "/index.html/x.html", "/%2e%2e/secret.html", "/.../x.html"})
    EXPECT_FALSE(find(path)) << path;
}

TEST_F(StaticFiles, ARootThatIsALinkIsARoot) {
  fs::create_directory_symlink(folder / "web", folder / "current");
  const auto file = find_static_file((folder / "current").string(), "/");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->path, fs::canonical(folder / "web/index.html"));
  EXPECT_TRUE(find_static_file((folder / "current/").string(), "/assets/main-1.js"));
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
