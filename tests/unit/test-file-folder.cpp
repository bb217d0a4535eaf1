// SPDX-License-Identifier: LGPL-2.1-or-later
// What arrives in a folder, and what can go wrong there.
#include "webrtc/files/file-folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "webrtc/files/file-name.h"
#include "webrtc/files/upload-store.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

const std::string kId(32, 'a');
const std::string kOther(32, 'b');

TEST(FileName, IsOneVisibleComponent) {
  EXPECT_EQ(safe_file_name("report.pdf"), "report.pdf");
  EXPECT_EQ(safe_file_name("../../etc/passwd"), "passwd");
  EXPECT_EQ(safe_file_name("C:\\Users\\me\\a.txt"), "a.txt");
  EXPECT_EQ(safe_file_name(".bashrc"), "bashrc");
  EXPECT_EQ(safe_file_name("..."), "upload");
  EXPECT_EQ(safe_file_name(""), "upload");
  EXPECT_EQ(safe_file_name("/"), "upload");
  EXPECT_EQ(safe_file_name("name. . "), "name");
  EXPECT_EQ(safe_file_name("a\nb\x7f"
                           "c\td"),
            "abcd");
  EXPECT_EQ(safe_file_name(std::string("a\0b", 3)), "upload");
  EXPECT_EQ(safe_file_name("\xff\xfe"), "upload");
  EXPECT_EQ(safe_file_name("grün 図.png"), "grün 図.png");
  EXPECT_EQ(safe_file_name("gpj.\xe2\x80\xae" "exe"), "gpj.exe");
}

TEST(FileName, IsNotTooLong) {
  const std::string name = safe_file_name(std::string(300, 'x') + ".tar");
  EXPECT_EQ(name.size(), 200u);
  EXPECT_TRUE(name.ends_with("x.tar"));
  std::string wide;
  for (int i = 0; i < 100; i++)
    wide += "図";
  const std::string cut = safe_file_name(wide);
  EXPECT_LE(cut.size(), 200u);
  EXPECT_EQ(cut.size() % 3, 0u);
  EXPECT_EQ(safe_file_name("a" + std::string(300, ' ') + "b"), "a");
}

TEST(FileName, TakesANumber) {
  EXPECT_EQ(numbered_file_name("a.tar.gz", 2), "a.tar (2).gz");
  EXPECT_EQ(numbered_file_name("README", 3), "README (3)");
}

TEST(UploadId, IsThirtyTwoDigits) {
  EXPECT_TRUE(is_upload_id("0123456789abcdefABCDEF0123456789"));
  EXPECT_FALSE(is_upload_id(std::string(31, 'a')));
  EXPECT_FALSE(is_upload_id(std::string(31, 'a') + "/"));
  EXPECT_FALSE(is_upload_id(""));
}

class Folder : public testing::Test {
 protected:
  Folder() {
    char pattern[] = "/tmp/vitrine-files-XXXXXX";
    path_ = mkdtemp(pattern);
    folder_ = std::make_unique<FileFolder>(path_);
  }
  ~Folder() override { fs::remove_all(path_); }

  StoredPiece append(const std::string& id, const std::string& name, uint64_t offset, uint64_t total, const std::string& text) {
    return folder_->append(id, name, offset, total, text.data(), text.size());
  }
  std::string contents(const std::string& name) {
    std::ifstream file(path_ + "/" + name, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::string path_;
  std::unique_ptr<FileFolder> folder_;
};

TEST_F(Folder, PutsPiecesTogether) {
  EXPECT_EQ(append(kId, "a.txt", 0, 10, "01234").size, 5u);
  EXPECT_EQ(folder_->progress(kId).size, 5u);
  EXPECT_FALSE(fs::exists(path_ + "/a.txt"));
  const StoredPiece last = append(kId, "a.txt", 5, 10, "56789");
  EXPECT_EQ(last.error, FileError::kNone);
  EXPECT_EQ(last.name, "a.txt");
  EXPECT_EQ(contents("a.txt"), "0123456789");
  EXPECT_EQ(folder_->progress(kId).size, 0u);
}

TEST_F(Folder, TakesAnEmptyFile) {
  EXPECT_EQ(append(kId, "empty", 0, 0, "").name, "empty");
  EXPECT_TRUE(fs::exists(path_ + "/empty"));
}

TEST_F(Folder, NeverTakesAnothersName) {
  std::ofstream(path_ + "/a.txt") << "mine";
  EXPECT_EQ(append(kId, "a.txt", 0, 3, "new").name, "a (2).txt");
  EXPECT_EQ(append(kOther, "a.txt", 0, 3, "too").name, "a (3).txt");
  EXPECT_EQ(contents("a.txt"), "mine");
  // Not even that of a link that leads nowhere.
  fs::create_symlink("/nonexistent/target", path_ + "/link");
  EXPECT_EQ(append(kId, "link", 0, 1, "x").name, "link (2)");
}

TEST_F(Folder, GoesOnOnlyWhereTheFileEnds) {
  EXPECT_EQ(append(kId, "a", 5, 10, "56789").error, FileError::kWrongOffset);
  append(kId, "a", 0, 10, "01234");
  const StoredPiece again = append(kId, "a", 0, 10, "01234");
  EXPECT_EQ(again.error, FileError::kWrongOffset);
  EXPECT_EQ(again.size, 5u);
  EXPECT_EQ(append(kId, "a", 5, 8, "56789").error, FileError::kWrongOffset) << "more than the whole";
  EXPECT_EQ(append(kId, "a", 5, 3, "").error, FileError::kWrongOffset);
}

TEST_F(Folder, FollowsNoLinkInTheWay) {
  const std::string part = path_ + "/.vitrine-upload-" + kId;
  const std::string target = path_ + "/target";
  std::ofstream(target) << "precious";
  fs::create_symlink(target, part);
  EXPECT_EQ(append(kId, "a", 0, 3, "bad").error, FileError::kRefused);
  fs::remove(part);
  fs::create_hard_link(target, part);
  EXPECT_EQ(append(kId, "a", 8, 11, "bad").error, FileError::kRefused);
  fs::remove(part);
  ASSERT_EQ(mkfifo(part.c_str(), 0600), 0);
  EXPECT_NE(append(kId, "a", 0, 3, "bad").error, FileError::kNone);
  EXPECT_EQ(contents("target"), "precious");
}

TEST_F(Folder, SaysThatThereIsNoRoom) {
  EXPECT_EQ(append(kId, "a", 0, uint64_t{1} << 60, "x").error, FileError::kNoSpace);
  EXPECT_EQ(folder_->progress(kId).size, 0u);
}

TEST_F(Folder, SurvivesTheLossOfTheFolder) {
  fs::remove_all(path_);
  EXPECT_EQ(append(kId, "a", 0, 1, "x").error, FileError::kNoFolder);
  EXPECT_EQ(folder_->progress(kId).error, FileError::kNoFolder);
  EXPECT_FALSE(folder_->list(10));
  fs::create_directory(path_);
  EXPECT_EQ(append(kId, "a", 0, 1, "x").name, "a");
}

TEST_F(Folder, ForgetsWhatNobodyFinished) {
  append(kId, "a", 0, 10, "01234");
  append(kOther, "b", 0, 10, "01234");
  const utimbuf old{0, 0};
  utime((path_ + "/.vitrine-upload-" + kId).c_str(), &old);
  std::ofstream(path_ + "/.vitrine-upload-notanid") << "x";
  utime((path_ + "/.vitrine-upload-notanid").c_str(), &old);
  folder_->remove_stale(3600);
  EXPECT_EQ(folder_->progress(kId).size, 0u);
  EXPECT_EQ(folder_->progress(kOther).size, 5u);
  EXPECT_TRUE(fs::exists(path_ + "/.vitrine-upload-notanid"));
  EXPECT_EQ(folder_->discard(kOther), FileError::kNone);
  EXPECT_EQ(folder_->discard(kOther), FileError::kNotFound);
}

TEST_F(Folder, ListsVisibleFiles) {
  std::ofstream(path_ + "/b") << "22";
  std::ofstream(path_ + "/a") << "1";
  std::ofstream(path_ + "/.hidden") << "1";
  fs::create_directory(path_ + "/folder");
  fs::create_symlink("/etc/passwd", path_ + "/link");
  const utimbuf old{1000, 1000};
  utime((path_ + "/b").c_str(), &old);
  const auto list = folder_->list(10);
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ((*list)[0].name, "a");
  EXPECT_EQ((*list)[1].name, "b");
  EXPECT_EQ((*list)[1].size, 2u);
  EXPECT_EQ((*list)[1].modified_s, 1000);
  EXPECT_EQ(folder_->list(1)->size(), 1u);
}

TEST_F(Folder, GivesOnlyWhatItLists) {
  std::ofstream(path_ + "/a") << "123";
  std::ofstream(path_ + "/.hidden") << "1";
  fs::create_symlink("/etc/passwd", path_ + "/link");
  ASSERT_EQ(mkfifo((path_ + "/pipe").c_str(), 0600), 0);
  const OpenedFile file = folder_->open_file("a");
  EXPECT_TRUE(file.fd);
  EXPECT_EQ(file.size, 3u);
  EXPECT_EQ(folder_->open_file("a").version, file.version);
  std::ofstream(path_ + "/a") << "4567";
  EXPECT_NE(folder_->open_file("a").version, file.version);
  for (const char* name : {".hidden", "link", "pipe", "..", ".", "", "../a", "missing", "a/../a"}) {
    EXPECT_FALSE(folder_->open_file(name).fd) << name;
    EXPECT_EQ(folder_->open_file(name).error, FileError::kNotFound) << name;
  }
  fs::remove_all(path_);
  EXPECT_EQ(folder_->open_file("a").error, FileError::kNoFolder);
}

TEST_F(Folder, IsMadeAndLookedAt) {
  EXPECT_EQ(FileFolder(path_ + "/new/deep").prepare(true), "");
  EXPECT_TRUE(fs::is_directory(path_ + "/new/deep"));
  std::ofstream(path_ + "/file") << "x";
  EXPECT_NE(FileFolder(path_ + "/file").prepare(false), "");
  EXPECT_NE(FileFolder("/proc/nothing/here").prepare(false), "");
  if (geteuid() != 0) {
    fs::create_directory(path_ + "/locked");
    fs::permissions(path_ + "/locked", fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_NE(FileFolder(path_ + "/locked").prepare(true), "");
    EXPECT_EQ(FileFolder(path_ + "/locked").prepare(false), "");
  }
}

class Store : public Folder {
 protected:
  Store() : store_(path_) {}
  StoredPiece put(uint64_t writer, uint64_t offset, uint64_t total, const std::string& text) {
    return store_.append(kId, writer, "a", offset, total, text.data(), text.size());
  }
  UploadStore store_;
};

TEST_F(Store, HasOneWriterForEachUpload) {
  const uint64_t first = store_.take(kId);
  EXPECT_EQ(put(first, 0, 6, "12").error, FileError::kNone);
  const uint64_t second = store_.take(kId);
  const StoredPiece late = put(first, 2, 6, "34");
  EXPECT_EQ(late.error, FileError::kWrongOffset);
  EXPECT_EQ(late.size, 2u);
  EXPECT_EQ(put(second, 2, 6, "3456").name, "a");
  EXPECT_EQ(contents("a"), "123456");
}

TEST_F(Store, KnowsWhatHasArrived) {
  const uint64_t writer = store_.take(kId);
  EXPECT_EQ(put(writer, 0, 3, "123").name, "a");
  // The viewer did not hear of it and comes back.
  EXPECT_EQ(store_.progress(kId).size, 3u);
  const uint64_t again = store_.take(kId);
  EXPECT_EQ(put(again, 0, 3, "123").error, FileError::kWrongOffset);
  EXPECT_EQ(put(again, 3, 3, "").name, "a");
  EXPECT_FALSE(fs::exists(path_ + "/a (2)"));
}

TEST_F(Store, GivesUpWhatIsDiscarded) {
  const uint64_t writer = store_.take(kId);
  put(writer, 0, 6, "12");
  EXPECT_EQ(store_.discard(kId), FileError::kNone);
  EXPECT_EQ(put(writer, 2, 6, "34").error, FileError::kWrongOffset) << "the rest of the same request";
  EXPECT_TRUE(fs::is_empty(path_));
}

TEST_F(Store, ForgetsTheOldestOfMany) {
  put(store_.take(kId), 0, 1, "x");
  for (int i = 0; i < 2000; i++) {
    char id[33];
    snprintf(id, sizeof id, "%032x", i);
    store_.take(id);
  }
  EXPECT_EQ(store_.progress(kId).size, 0u);
}

TEST_F(Store, TakesPiecesFromManyThreads) {
  // Whoever writes, and however often they take over from each other, no byte is lost, doubled or out of order.
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++)
    threads.emplace_back([this] {
      for (int i = 0; i < 200; i++) {
        const uint64_t writer = store_.take(kId);
        const uint64_t at = store_.progress(kId).size;
        if (at < 26)
          put(writer, at, 26, std::string(1, static_cast<char>('a' + at)));
      }
    });
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(contents("a"), "abcdefghijklmnopqrstuvwxyz");
}

}  // namespace
}  // namespace vitrine
