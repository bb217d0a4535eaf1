// SPDX-License-Identifier: LGPL-2.1-or-later
// Requests for files, on a real libsoup server and client over loopback.
#include "webrtc/files/file-service.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "common/ref.h"

GST_DEBUG_CATEGORY(vitrine_webrtc_debug);

namespace vitrine {
namespace {

namespace fs = std::filesystem;

const std::string kId(32, 'c');

struct Answer {
  guint status = 0;
  std::string body;
  std::string offset;
  std::string type;
  std::string range;
  std::string disposition;
  std::string version;
};

class Files : public testing::Test {
 protected:
  Files() {
    char pattern[] = "/tmp/vitrine-files-XXXXXX";
    path_ = mkdtemp(pattern);
    fs::create_directory(path_ + "/up");
    fs::create_directory(path_ + "/down");
    serve({path_ + "/up", path_ + "/down", 100'000'000});
  }
  ~Files() override {
    if (server_)
      soup_server_disconnect(server_.get());
    fs::remove_all(path_);
  }

  void serve(FileSettings settings) {
    if (server_)
      soup_server_disconnect(server_.get());
    service_ = std::make_unique<FileService>(std::move(settings));
    server_ = Ref<SoupServer>::adopt(soup_server_new(nullptr, nullptr));
    soup_server_add_early_handler(
        server_.get(), nullptr,
        [](SoupServer*, SoupServerMessage* message, const char* path, GHashTable*, gpointer data) {
          static_cast<Files*>(data)->service_->check(message, path, static_cast<Files*>(data)->role_);
        },
        this, nullptr);
    soup_server_add_handler(
        server_.get(), nullptr,
        [](SoupServer*, SoupServerMessage* message, const char*, GHashTable*, gpointer data) {
          static_cast<Files*>(data)->service_->serve(message, nullptr, "");
        },
        this, nullptr);
    ASSERT_TRUE(soup_server_listen_local(server_.get(), 0, SOUP_SERVER_LISTEN_IPV4_ONLY, nullptr));
    GSList* uris = soup_server_get_uris(server_.get());
    port_ = g_uri_get_port(static_cast<GUri*>(uris->data));
    g_slist_free_full(uris, reinterpret_cast<GDestroyNotify>(g_uri_unref));
  }

  Answer ask(const char* method, const std::string& path, const std::string& body = "", const char* range = nullptr,
             const char* if_range = nullptr) {
    const auto session = Ref<SoupSession>::adopt(soup_session_new());
    const auto message = Ref<SoupMessage>::adopt(
        soup_message_new(method, ("http://127.0.0.1:" + std::to_string(port_) + path).c_str()));
    if (std::string(method) == "PUT") {
      GBytes* bytes = g_bytes_new(body.data(), body.size());
      soup_message_set_request_body_from_bytes(message.get(), "application/octet-stream", bytes);
      g_bytes_unref(bytes);
    }
    if (range)
      soup_message_headers_replace(soup_message_get_request_headers(message.get()), "Range", range);
    if (if_range)
      soup_message_headers_replace(soup_message_get_request_headers(message.get()), "If-Range", if_range);
    struct State {
      GBytes* bytes = nullptr;
      bool done = false;
    } state;
    soup_session_send_and_read_async(
        session.get(), message.get(), G_PRIORITY_DEFAULT, nullptr,
        [](GObject* source, GAsyncResult* result, gpointer data) {
          auto* waiting = static_cast<State*>(data);
          waiting->bytes = soup_session_send_and_read_finish(SOUP_SESSION(source), result, nullptr);
          waiting->done = true;
        },
        &state);
    while (!state.done)
      g_main_context_iteration(nullptr, TRUE);
    Answer answer;
    answer.status = soup_message_get_status(message.get());
    if (state.bytes) {
      gsize length = 0;
      const auto* data = static_cast<const char*>(g_bytes_get_data(state.bytes, &length));
      answer.body.assign(data ? data : "", length);
      g_bytes_unref(state.bytes);
    }
    SoupMessageHeaders* headers = soup_message_get_response_headers(message.get());
    const auto header = [headers](const char* name) {
      const char* value = soup_message_headers_get_one(headers, name);
      return std::string(value ? value : "");
    };
    answer.offset = header("Upload-Offset");
    answer.type = header("Content-Type");
    answer.range = header("Content-Range");
    answer.disposition = header("Content-Disposition");
    answer.version = header("ETag");
    return answer;
  }
  Answer put(const std::string& id, const std::string& name, size_t offset, size_t size, const std::string& body) {
    GCharPtr escaped(g_uri_escape_string(name.c_str(), nullptr, FALSE));
    return ask("PUT", "/files/upload/" + id + "?name=" + escaped.get() + "&size=" + std::to_string(size) +
                          "&offset=" + std::to_string(offset), body);
  }
  std::string contents(const std::string& name) {
    std::ifstream file(path_ + "/" + name, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  /// A connection that speaks for itself, with this much sent already.
  int dial(const std::string& text) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    say(fd, text);
    return fd;
  }
  void say(int fd, const std::string& text) {
    for (size_t sent = 0; sent < text.size();) {
      const ssize_t wrote = send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (wrote > 0)
        sent += static_cast<size_t>(wrote);
      else if (errno != EAGAIN)
        return;
      g_main_context_iteration(nullptr, FALSE);
    }
  }
  /// What comes back until `enough` is in it or the connection ends.
  std::string hear(int fd, const std::string& enough = "\r\n\r\n") {
    std::string text;
    const int64_t until = g_get_monotonic_time() + 10'000'000;
    while (text.find(enough) == std::string::npos && g_get_monotonic_time() < until) {
      char buffer[4096];
      const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
      if (got == 0 || (got < 0 && errno != EAGAIN))
        break;
      if (got > 0)
        text.append(buffer, static_cast<size_t>(got));
      g_main_context_iteration(nullptr, FALSE);
    }
    return text;
  }
  std::string put_head(const std::string& id, size_t offset, size_t size, size_t length) {
    return "PUT /files/upload/" + id + "?name=a&size=" + std::to_string(size) + "&offset=" + std::to_string(offset) +
           " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
  }
  void until(const std::function<bool()>& condition) {
    const int64_t end = g_get_monotonic_time() + 10'000'000;
    bool met = false;
    while (!(met = condition()) && g_get_monotonic_time() < end) {
      g_usleep(20'000);
      while (g_main_context_iteration(nullptr, FALSE)) {
      }
    }
    EXPECT_TRUE(met);
  }

  std::string path_;
  Role role_ = Role::control;
  std::unique_ptr<FileService> service_;
  Ref<SoupServer> server_;
  int port_ = 0;
};

TEST_F(Files, ArriveInPieces) {
  const std::string first(kLargestPiece, 'a');
  const Answer one = put(kId, "grün & 図.bin", 0, first.size() + 3, first);
  EXPECT_EQ(one.status, 200u);
  EXPECT_EQ(one.offset, std::to_string(first.size()));
  EXPECT_EQ(ask("HEAD", "/files/upload/" + kId).offset, std::to_string(first.size()));
  const Answer two = put(kId, "grün & 図.bin", first.size(), first.size() + 3, "end");
  EXPECT_EQ(two.status, 201u);
  EXPECT_EQ(two.body, "{\"name\":\"grün & 図.bin\"}\n");
  EXPECT_EQ(contents("up/grün & 図.bin"), first + "end");
}

TEST_F(Files, AreRefusedWithAReason) {
  EXPECT_EQ(put("xyz", "a", 0, 1, "x").status, 400u);
  EXPECT_EQ(put(kId + "/..", "a", 0, 1, "x").status, 400u);
  EXPECT_EQ(ask("PUT", "/files/upload/" + kId, "x").status, 400u);
  EXPECT_EQ(ask("PUT", "/files/upload/" + kId + "?name=a&size=-1&offset=0", "x").status, 400u);
  EXPECT_EQ(ask("PUT", "/files/upload/" + kId + "?name=a&size=99999999999999999999999&offset=0", "x").status, 400u);
  EXPECT_EQ(put(kId, "a", 0, 100'000'001, "x").status, 413u);
  EXPECT_EQ(put(kId, "a", 0, 90'000'000, std::string(kLargestPiece + 1, 'x')).status, 413u);
  EXPECT_EQ(ask("POST", "/files/upload/" + kId).status, 405u);
  EXPECT_EQ(put(kId, "a", 7, 10, "abc").status, 409u);
  EXPECT_EQ(put(kId, "a", 0, 2, "abc").status, 400u);
  fs::remove_all(path_ + "/up");
  EXPECT_EQ(put(kId, "a", 0, 1, "x").status, 503u);
}

TEST_F(Files, StayInTheirFolder) {
  EXPECT_EQ(put(kId, "../../escaped", 0, 1, "x").body, "{\"name\":\"escaped\"}\n");
  EXPECT_FALSE(fs::exists(path_ + "/escaped"));
  std::ofstream(path_ + "/secret") << "secret";
  for (const char* path : {"/files/download/..%2fsecret", "/files/download/%2e%2e%2fsecret", "/files/download/../secret",
                           "/files/download/", "/files/download/.", "/files/other"})
    EXPECT_GE(ask("GET", path).status, 400u) << path;
}

TEST_F(Files, CanBeGivenUp) {
  put(kId, "a", 0, 10, "abc");
  EXPECT_EQ(ask("DELETE", "/files/upload/" + kId).status, 200u);
  EXPECT_EQ(ask("HEAD", "/files/upload/" + kId).offset, "0");
  EXPECT_TRUE(fs::is_empty(path_ + "/up"));
}

TEST_F(Files, AreListed) {
  EXPECT_EQ(ask("GET", "/files/").body, "{\"files\":[]}\n");
  std::ofstream(path_ + "/down/a \"b\".txt") << "12345";
  const Answer list = ask("GET", "/files/");
  EXPECT_EQ(list.type, "application/json");
  EXPECT_NE(list.body.find("{\"name\":\"a \\\"b\\\".txt\",\"size\":5,\"modified\":"), std::string::npos) << list.body;
}

TEST_F(Files, AreFetchedWholeOrInPart) {
  std::string large(3'000'001, '\0');
  for (size_t i = 0; i < large.size(); i++)
    large[i] = static_cast<char>(i * 7 + i / 251);
  std::ofstream(path_ + "/down/large.html", std::ios::binary) << large;
  const Answer whole = ask("GET", "/files/download/large.html");
  EXPECT_EQ(whole.status, 200u);
  EXPECT_TRUE(whole.body == large);
  EXPECT_EQ(whole.type, "application/octet-stream");
  EXPECT_EQ(whole.disposition, "attachment; filename*=UTF-8''large.html");
  const Answer part = ask("GET", "/files/download/large.html", "", "bytes=2999990-");
  EXPECT_EQ(part.status, 206u);
  EXPECT_EQ(part.version, whole.version);
  EXPECT_EQ(ask("GET", "/files/download/large.html", "", "bytes=2999990-", whole.version.c_str()).status, 206u);
  EXPECT_EQ(ask("GET", "/files/download/large.html", "", "bytes=2999990-", "\"another\"").status, 200u);
  EXPECT_EQ(ask("GET", "/files/download/large.html", "", "bytes=9999999-").status, 200u);
  EXPECT_TRUE(ask("GET", "/files/download/large.html", "", "bytes=-5").body == large.substr(2999996));
  EXPECT_EQ(part.range, "bytes 2999990-3000000/3000001");
  EXPECT_TRUE(part.body == large.substr(2999990));
  EXPECT_EQ(ask("HEAD", "/files/download/large.html").status, 200u);
  std::ofstream(path_ + "/down/100% ü.txt") << "odd";
  EXPECT_EQ(ask("GET", "/files/download/100%25%20%C3%BC.txt").body, "odd");
  std::ofstream(path_ + "/down/empty");
  EXPECT_EQ(ask("GET", "/files/download/empty").body, "");
}

TEST_F(Files, AreNothingUntilAsked) {
  serve({"", "", 0});
  EXPECT_EQ(put(kId, "a", 0, 1, "x").status, 404u);
  EXPECT_EQ(ask("GET", "/files/").status, 404u);
  EXPECT_EQ(ask("GET", "/files/download/a").status, 404u);
}

TEST_F(Files, AreForWhoMayControl) {
  put(kId, "a", 0, 10, "abc");
  std::ofstream(path_ + "/down/a") << "1";
  role_ = Role::view;
  EXPECT_EQ(put(kId, "a", 3, 10, "abc").status, 403u);
  EXPECT_EQ(ask("HEAD", "/files/upload/" + kId).status, 403u);
  EXPECT_EQ(ask("DELETE", "/files/upload/" + kId).status, 403u);
  EXPECT_EQ(ask("GET", "/files/").status, 403u);
  EXPECT_EQ(ask("GET", "/files/download/a").status, 403u);
  role_ = Role::control;
  EXPECT_EQ(ask("HEAD", "/files/upload/" + kId).offset, "3");
}

TEST_F(Files, GoOnWhereALostConnectionLeftThem) {
  // Three slices and a half have been sent when the connection breaks: whole slices are kept.
  const std::string piece(3'600'000, 'x');
  const int fd = dial(put_head(kId, 0, 6'000'000, 6'000'000));
  say(fd, piece);
  size_t kept = 0;
  until([&] { return (kept = std::stoul(ask("HEAD", "/files/upload/" + kId).offset)) >= 3 * (1 << 20); });
  // The old connection still stands; the new one takes over, and what the old one sends after that is not written.
  EXPECT_EQ(put(kId, "a", kept, 6'000'000, std::string(300'000, 'y')).status, 200u);
  say(fd, std::string(2'400'000, 'z'));
  EXPECT_NE(hear(fd).find(" 409 "), std::string::npos);
  close(fd);
  const size_t there = kept + 300'000;
  EXPECT_EQ(put(kId, "a", there, 6'000'000, std::string(6'000'000 - there, 'w')).status, 201u);
  EXPECT_TRUE(contents("up/a") == std::string(kept, 'x') + std::string(300'000, 'y') + std::string(6'000'000 - there, 'w'));
  // The answer got lost: it is given again, and the file is there once.
  EXPECT_EQ(ask("HEAD", "/files/upload/" + kId).offset, "6000000");
  EXPECT_EQ(put(kId, "a", 0, 6'000'000, "x").offset, "6000000");
  EXPECT_EQ(put(kId, "a", 6'000'000, 6'000'000, "").body, "{\"name\":\"a\"}\n");
}

TEST_F(Files, AreSentByFewAtOnce) {
  std::vector<int> connections;
  for (int i = 0; i < 8; i++)
    connections.push_back(dial(put_head(std::string(31, 'd') + std::to_string(i), 0, 100, 100)));
  until([&] { return put(kId, "a", 0, 1, "x").status == 429u; });
  for (const int fd : connections)
    close(fd);
  until([&] { return put(kId, "a", 0, 1, "x").status == 201u; });
}

TEST_F(Files, AreAskedForAtALimitedRate) {
  guint last = 0;
  for (int i = 0; i < 2000 && last != 429u; i++)
    last = ask("GET", "/files/").status;
  EXPECT_EQ(last, 429u);
}

TEST_F(Files, EndWithTheServer) {
  std::ofstream(path_ + "/down/large", std::ios::binary) << std::string(50'000'000, 'x');
  const int sending = dial(put_head(kId, 0, 6'000'000, 6'000'000)), fetching = dial("GET /files/download/large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  say(sending, std::string(3'600'000, 'x'));
  EXPECT_NE(hear(fetching).find(" 200 "), std::string::npos);
  soup_server_disconnect(server_.get());
  server_.reset();
  service_.reset();
  while (g_main_context_iteration(nullptr, FALSE)) {
  }
  close(sending);
  close(fetching);
}

TEST_F(Files, WhichBecomeShorterEndTheirConnection) {
  std::ofstream(path_ + "/down/log", std::ios::binary) << std::string(50'000'000, 'x');
  const int fd = dial("GET /files/download/log HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_NE(hear(fd).find("Content-Length: 50000000"), std::string::npos);
  fs::resize_file(path_ + "/down/log", 10);
  EXPECT_LT(hear(fd, "never").size(), 50'000'000u);
  close(fd);
  EXPECT_EQ(ask("GET", "/files/download/log").body, std::string(10, 'x'));
}

TEST_F(Files, KeepNothingOfABodyThatNobodyWants) {
  serve({"", "", 0});
  // More than a piece: the connection ends, whatever was promised.
  const int fd = dial(put_head(kId, 0, 1'000'000'000, 1'000'000'000));
  for (int i = 0; i < 200; i++)
    say(fd, std::string(100'000, 'x'));
  EXPECT_EQ(hear(fd), "");
  close(fd);
  EXPECT_EQ(ask("GET", "/files/").status, 404u);
}

}  // namespace
}  // namespace vitrine
