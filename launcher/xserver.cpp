// SPDX-License-Identifier: LGPL-2.1-or-later
// Starting Xvfb.
#include "xserver.h"

#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <sys/random.h>
#include <unistd.h>

#include <fstream>
#include <vector>

#include "process.h"
#include "text.h"

namespace vitrine {
namespace {

constexpr int kStartMs = 15000;
constexpr int kStepMs = 50;
constexpr int kPatienceMs = 3000;

std::string last_line(const std::string& path) {
  std::ifstream file(path);
  std::string line, last;
  while (std::getline(file, line))
    if (!line.empty())
      last = line;
  return last;
}

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

/// Reads "NUMBER\n" from the server; empty if it ends, takes too long, or is not wanted any more.
std::string read_number(int fd, const std::function<bool()>& cancelled) {
  std::string text;
  for (int waited = 0; waited < kStartMs && !cancelled();) {
    pollfd wait{fd, POLLIN, 0};
    const int ready = poll(&wait, 1, kStepMs);
    char c;
    if (ready == 0)
      waited += kStepMs;
    if (ready <= 0)
      continue;
    if (read(fd, &c, 1) != 1)
      return "";
    if (c == '\n')
      return text;
    text += c;
  }
  return "";
}

}  // namespace

std::unique_ptr<XServer> XServer::start(const Size& size, const std::function<bool()>& cancelled, std::string& error) {
  std::unique_ptr<XServer> self(new XServer());
  const unsigned long long bytes = 4ULL * static_cast<unsigned>(size.width) * static_cast<unsigned>(size.height) + (1U << 20);
  self->folder_ = PrivateFolder::make(bytes, error);
  if (!self->folder_)
    return nullptr;
  int pipes[2];
  if (!write_authority(self->authority()) || pipe2(pipes, O_CLOEXEC) != 0) {
    error = self->authority() + ": " + _("cannot be written");
    return nullptr;
  }
  std::vector<std::string> command = {"Xvfb",      "-displayfd", std::to_string(pipes[1]),
                                      "-screen",   "0",          std::to_string(size.width) + "x" + std::to_string(size.height) + "x24",
                                      "-nolisten", "tcp",        "-noreset",
                                      "-auth",     self->authority()};
  if (self->folder_->is_roomy())
    command.insert(command.end(), {"-fbdir", self->folder_->path()});
  int why = 0;
  self->pid_ = start_process(command, {{}, pipes[1], self->folder_->log()}, why);
  close(pipes[1]);
  const std::string number = self->pid_ ? read_number(pipes[0], cancelled) : "";
  close(pipes[0]);
  if (!self->pid_)
    error = std::string("Xvfb: ") + g_strerror(why) + "; " + _("on Debian:") + " apt install xvfb";
  else if (number.empty())
    error = std::string(_("the private X server does not start:")) + " " + last_line(self->folder_->log());
  self->display_ = ":" + number;
  return error.empty() ? std::move(self) : nullptr;
}

XServer::~XServer() {
  if (pid_)
    end_process(pid_, kPatienceMs);
}

}  // namespace vitrine
