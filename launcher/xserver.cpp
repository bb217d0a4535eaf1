// SPDX-License-Identifier: LGPL-2.1-or-later
// Starting Xvfb.
#include "xserver.h"

#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "process.h"

namespace vitrine {
namespace {

constexpr int kStartMs = 15000;

/// An authority file with one entry that fits any address and display (Xauth's FamilyWild): the display's number is not known yet.
bool write_authority(const std::string& path) {
  unsigned char cookie[16];
  if (getrandom(cookie, sizeof cookie, 0) != sizeof cookie)
    return false;
  std::string entry;
  const auto put16 = [&entry](unsigned value) {
    entry += static_cast<char>(value >> 8);
    entry += static_cast<char>(value);
  };
  const auto put = [&](const std::string& bytes) {
    put16(static_cast<unsigned>(bytes.size()));
    entry += bytes;
  };
  put16(0xffff);
  put("");
  put("");
  put("MIT-MAGIC-COOKIE-1");
  put(std::string(reinterpret_cast<char*>(cookie), sizeof cookie));
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return false;
  const bool written = write(fd, entry.data(), entry.size()) == static_cast<ssize_t>(entry.size());
  close(fd);
  return written;
}

/// Reads "NUMBER\n" from the server; empty if it ends or takes too long.
std::string read_number(int fd) {
  std::string text;
  for (;;) {
    pollfd wait{fd, POLLIN, 0};
    char c;
    if (poll(&wait, 1, kStartMs) <= 0 || read(fd, &c, 1) != 1)
      return "";
    if (c == '\n')
      return text;
    text += c;
  }
}

}  // namespace

std::unique_ptr<XServer> XServer::start(const Size& size, std::string& error) {
  std::unique_ptr<XServer> self(new XServer());
  const char* runtime = g_getenv("XDG_RUNTIME_DIR");
  std::string name = std::string(runtime && access(runtime, W_OK) == 0 ? runtime : g_get_tmp_dir()) + "/vitrine-XXXXXX";
  if (!g_mkdtemp_full(name.data(), 0700)) {
    error = name + ": cannot make a private folder";
    return nullptr;
  }
  self->folder_ = name;
  self->authority_ = name + "/Xauthority";
  self->log_ = name + "/Xvfb.log";
  int pipes[2];
  if (!write_authority(self->authority_) || pipe2(pipes, O_CLOEXEC) != 0) {
    error = self->authority_ + ": cannot be written";
    return nullptr;
  }
  const std::string screen = std::to_string(size.width) + "x" + std::to_string(size.height) + "x24";
  self->pid_ = start_process({"Xvfb", "-displayfd", std::to_string(pipes[1]), "-screen", "0", screen, "-nolisten", "tcp", "-noreset",
                              "-auth", self->authority_},
                             {}, pipes[1], self->log_, error);
  close(pipes[1]);
  const std::string number = self->pid_ ? read_number(pipes[0]) : "";
  close(pipes[0]);
  if (number.empty()) {
    char* log = nullptr;
    g_file_get_contents(self->log_.c_str(), &log, nullptr, nullptr);
    error = error.empty() ? std::string("Xvfb does not start: ") + (log ? log : "") : error + "; on Debian: apt install xvfb";
    g_free(log);
    return nullptr;
  }
  self->display_ = ":" + number;
  return self;
}

XServer::~XServer() {
  if (pid_)
    end_process(pid_, 3000);
  if (!folder_.empty()) {
    unlink(authority_.c_str());
    unlink(log_.c_str());
    rmdir(folder_.c_str());
  }
}

}  // namespace vitrine
