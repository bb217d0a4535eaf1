// SPDX-License-Identifier: LGPL-2.1-or-later
// Starting Xvfb.
#include "xserver.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <utility>
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

std::unique_ptr<XServer> XServer::start(const Size& size, const std::function<bool()>& cancelled, std::string& error, long dpi) {
  std::unique_ptr<XServer> self(new XServer(size, dpi));
  const unsigned long long bytes = 4ULL * static_cast<unsigned>(size.width) * static_cast<unsigned>(size.height) + (1U << 20);
  self->folder_ = PrivateFolder::make(bytes, error);
  if (!self->folder_)
    return nullptr;
  if (!write_authority(self->authority())) {
    error = self->authority() + ": " + _("cannot be written");
    return nullptr;
  }
  const int pipe = self->launch("", error);
  if (pipe < 0)
    return nullptr;
  const std::string number = read_number(pipe, cancelled);
  close(pipe);
  if (number.empty())
    error = self->problem();
  self->display_ = ":" + number;
  return error.empty() ? std::move(self) : nullptr;
}

std::string XServer::problem() const {
  return std::string(_("the private X server does not start:")) + " " + last_line(folder_->log());
}

/// Returns the pipe on which the server says its number; -1, with `error`, if it cannot be run.
int XServer::launch(const std::string& display, std::string& error) {
  int pipes[2];
  if (pipe2(pipes, O_CLOEXEC) != 0) {
    error = std::string("Xvfb: ") + g_strerror(errno);
    return -1;
  }
  // GCC 14 warns of the bounds of a vector that is made with one word.
  std::vector<std::string> command;
  command.emplace_back("Xvfb");
  if (!display.empty())
    command.push_back(display);
  command.insert(command.end(), {"-displayfd", std::to_string(pipes[1]), "-screen", "0",
                                 std::to_string(size_.width) + "x" + std::to_string(size_.height) + "x24", "-dpi", std::to_string(dpi_), "-nolisten", "tcp",
                                 "-noreset", "-auth", authority()});
  if (folder_->is_roomy())
    command.insert(command.end(), {"-fbdir", folder_->path()});
  int why = 0;
  pid_ = start_process(command, {{}, pipes[1], folder_->log()}, why);
  close(pipes[1]);
  if (pid_)
    return pipes[0];
  close(pipes[0]);
  error = std::string("Xvfb: ") + g_strerror(why) + "; " + _("on Debian:") + " apt install xvfb";
  return -1;
}

void XServer::restart(bool keep_number, std::function<void(const std::string&)> done) {
  close_pipe();
  std::string error;
  pipe_ = launch(keep_number ? display_ : "", error);
  if (pipe_ < 0) {
    done(error);
    return;
  }
  done_ = std::move(done);
  number_.clear();
  source_ = g_unix_fd_add(
      pipe_, GIOCondition(G_IO_IN | G_IO_HUP), [](gint, GIOCondition, gpointer self) -> gboolean { return static_cast<XServer*>(self)->on_pipe(); },
      this);
  timer_ = g_timeout_add(
      kStartMs,
      [](gpointer data) -> gboolean {
        auto* self = static_cast<XServer*>(data);
        const auto told = std::exchange(self->done_, nullptr);
        self->timer_ = 0;
        self->close_pipe();
        told(self->problem());
        return G_SOURCE_REMOVE;
      },
      this);
}

bool XServer::on_pipe() {
  char c = 0;
  const bool got = read(pipe_, &c, 1) == 1;
  if (got && c != '\n') {
    number_ += c;
    return true;
  }
  const bool good = got && !number_.empty();
  if (good)
    display_ = ":" + number_;
  source_ = 0;
  close_pipe();
  // Our caller may start anew from in there.
  const auto told = std::exchange(done_, nullptr);
  told(good ? "" : problem());
  return false;
}

void XServer::close_pipe() {
  for (unsigned* source : {&source_, &timer_})
    if (const unsigned id = std::exchange(*source, 0))
      g_source_remove(id);
  if (const int fd = std::exchange(pipe_, -1); fd >= 0)
    close(fd);
}

XServer::~XServer() {
  close_pipe();
  if (pid_)
    end_process(pid_, kPatienceMs);
}

}  // namespace vitrine
