// SPDX-License-Identifier: LGPL-2.1-or-later
// What requests for files ask for, and which are refused.
#include "webrtc/files/file-request.h"

#include <gtest/gtest.h>

#include <string>

namespace vitrine {
namespace {

using Kind = FileRequest::Kind;

const std::string kId(32, 'a');
const std::string kUpload = "/files/upload/" + kId;
const FileLimits kBoth{true, true, 1000};

std::variant<FileRequest, FileRefusal> read(const char* method, const std::string& path, const std::string& query = "",
                                            std::optional<uint64_t> length = std::nullopt, FileLimits limits = kBoth) {
  return read_file_request(method, path, query, length, limits);
}

unsigned status(const std::variant<FileRequest, FileRefusal>& answer) {
  const auto* refusal = std::get_if<FileRefusal>(&answer);
  return refusal ? refusal->status : 200;
}

std::string name_of(const std::string& escaped) {
  const auto answer = read("PUT", kUpload, "size=9&offset=0&name=" + escaped, 1);
  const auto* request = std::get_if<FileRequest>(&answer);
  return request ? request->name : "(" + std::to_string(std::get<FileRefusal>(answer).status) + ")";
}

TEST(FileRequest, NamesWhatItAsksFor) {
  EXPECT_EQ(std::get<FileRequest>(read("GET", "/files/")).kind, Kind::list);
  const FileRequest fetch = std::get<FileRequest>(read("HEAD", "/files/download/a b"));
  EXPECT_EQ(fetch.kind, Kind::fetch);
  EXPECT_EQ(fetch.name, "a b");
  EXPECT_EQ(std::get<FileRequest>(read("HEAD", kUpload)).kind, Kind::progress);
  EXPECT_EQ(std::get<FileRequest>(read("DELETE", kUpload)).kind, Kind::discard);
  const FileRequest piece = std::get<FileRequest>(read("PUT", kUpload, "offset=3&size=10&name=a%20%26+b", 7));
  EXPECT_EQ(piece.kind, Kind::piece);
  EXPECT_EQ(piece.id, kId);
  EXPECT_EQ(piece.name, "a & b");
  EXPECT_EQ(piece.size, 10u);
  EXPECT_EQ(piece.offset, 3u);
  EXPECT_EQ(piece.length, 7u);
}

TEST(FileRequest, MakesNamesSafe) {
  EXPECT_EQ(name_of("..%2f..%2fetc%2fpasswd"), "passwd");
  EXPECT_EQ(name_of("..%5c..%5cboot.ini"), "boot.ini");
  EXPECT_EQ(name_of("%2e%2e"), "upload");
  EXPECT_EQ(name_of("%2ebashrc"), "bashrc");
  EXPECT_EQ(name_of("a%0d%0ab"), "ab");
  EXPECT_EQ(name_of("%ff%fe"), "(400)");
  EXPECT_EQ(name_of(std::string(300, 'x')).size(), 200u);
  EXPECT_EQ(name_of("a%00b"), "(400)");
  EXPECT_EQ(name_of("a%zz"), "(400)");
}

TEST(FileRequest, IsRefusedWhereNothingIsEnabled) {
  EXPECT_EQ(status(read("PUT", kUpload, "size=9&offset=0&name=a", 1, {false, true, 1000})), 404u);
  EXPECT_EQ(status(read("HEAD", kUpload, "", std::nullopt, {false, true, 1000})), 404u);
  EXPECT_EQ(status(read("GET", "/files/", "", std::nullopt, {true, false, 1000})), 404u);
  EXPECT_EQ(status(read("GET", "/files/download/a", "", std::nullopt, {true, false, 1000})), 404u);
}

TEST(FileRequest, IsRefusedWithItsReason) {
  const auto put = [](const std::string& query, std::optional<uint64_t> length) { return status(read("PUT", kUpload, query, length)); };
  EXPECT_EQ(put("size=1000&offset=0&name=a", 1000), 200u);
  EXPECT_EQ(put("size=1001&offset=0&name=a", 1), 413u);
  EXPECT_EQ(put("size=10&offset=0&name=a", std::nullopt), 413u);
  EXPECT_EQ(put("size=10&offset=0&name=a", kLargestPiece + 1), 413u);
  EXPECT_EQ(put("size=10&offset=11&name=a", 0), 400u);
  EXPECT_EQ(put("size=10&offset=5&name=a", 6), 400u);
  EXPECT_EQ(put("size=10&offset=18446744073709551615&name=a", 6), 400u);
  for (const char* query : {"", "size=10&offset=0", "size=10&name=a", "offset=0&name=a", "size=-1&offset=0&name=a", "size=+1&offset=0&name=a",
                            "size=1e3&offset=0&name=a", "size= 1&offset=0&name=a", "size=99999999999999999999999&offset=0&name=a",
                            "size=9223372036854775808&offset=0&name=a", "size=&offset=0&name=a", "&&&=&", "%"})
    EXPECT_EQ(put(query, 1), 400u) << query;
  EXPECT_EQ(put("size=10&offset=0&name=" + std::string(10000, 'x'), 1), 400u);
  EXPECT_EQ(status(read("POST", kUpload)), 405u);
  EXPECT_EQ(status(read("GET", kUpload)), 405u);
  EXPECT_EQ(status(read("PUT", "/files/")), 405u);
  EXPECT_EQ(status(read("DELETE", "/files/download/a")), 405u);
  EXPECT_EQ(status(read("GET", "/files/download/")), 404u);
  EXPECT_EQ(status(read("GET", "/files/other")), 404u);
  for (const std::string& id : {std::string(31, 'a'), std::string(33, 'a'), std::string(31, 'a') + "g", kId + "/", kId + "/..", std::string()})
    EXPECT_EQ(status(read("HEAD", "/files/upload/" + id)), 400u) << id;
}

}  // namespace
}  // namespace vitrine
