// SPDX-License-Identifier: LGPL-2.1-or-later
// Starting Xvfb.
#include "xserver.h"

#include <fcntl.h>
#include <glib.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
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

/// Whether `folder` lies in memory and `bytes` more fit into it.
bool is_memory_with_room(const std::string& folder, unsigned long long bytes) {
  struct statfs status {};
  return statfs(folder.c_str(), &status) == 0 && status.f_type == TMPFS_MAGIC &&
         static_cast<unsigned long long>(status.f_bavail) * static_cast<unsigned long long>(status.f_bsize) > bytes;
}

/// Where the private folder goes: best in memory, so that the framebuffer can be a file in it that the capture maps.
std::string choose_base(unsigned long long bytes) {
  const char* runtime = g_getenv("XDG_RUNTIME_DIR");
  for (const std::string& folder : {std::string(runtime ? runtime : ""), std::string("/dev/shm")})
    if (!folder.empty() && access(folder.c_str(), W_OK) == 0 && is_memory_with_room(folder, bytes))
      return folder;
  return g_get_tmp_dir();
}

}  // namespace

std::unique_ptr<XServer> XServer::start(const Size& size, const std::function<bool()>& cancelled, std::string& error) {
  std::unique_ptr<XServer> self(new XServer());
  const unsigned long long bytes = 4ULL * static_cast<unsigned>(size.width) * static_cast<unsigned>(size.height) + (1U << 20);
  const std::string base = choose_base(bytes);
  std::string name = base + "/vitrine-XXXXXX";
  if (!g_mkdtemp_full(name.data(), 0700)) {
    error = base + ": " + _("no private folder can be made here");
    return nullptr;
  }
  self->folder_ = name;
  self->authority_ = name + "/Xauthority";
  self->log_ = name + "/Xvfb.log";
  self->framebuffer_ = name + "/Xvfb_screen0";
  int pipes[2];
  if (!write_authority(self->authority_) || pipe2(pipes, O_CLOEXEC) != 0) {
    error = self->authority_ + ": " + _("cannot be written");
    return nullptr;
  }
  std::vector<std::string> command = {"Xvfb",      "-displayfd", std::to_string(pipes[1]),
                                      "-screen",   "0",          std::to_string(size.width) + "x" + std::to_string(size.height) + "x24",
                                      "-nolisten", "tcp",        "-noreset",
                                      "-auth",     self->authority_};
  if (is_memory_with_room(name, bytes))
    command.insert(command.end(), {"-fbdir", name});
  int why = 0;
  self->pid_ = start_process(command, {{}, pipes[1], self->log_}, why);
  close(pipes[1]);
  const std::string number = self->pid_ ? read_number(pipes[0], cancelled) : "";
  close(pipes[0]);
  if (!self->pid_)
    error = std::string("Xvfb: ") + g_strerror(why) + "; " + _("on Debian:") + " apt install xvfb";
  else if (number.empty())
    error = std::string(_("the private X server does not start:")) + " " + last_line(self->log_);
  self->display_ = ":" + number;
  return error.empty() ? std::move(self) : nullptr;
}

XServer::~XServer() {
  if (pid_)
    end_process(pid_, kPatienceMs);
  remove_files();
}

void XServer::remove_files() const {
  for (const auto* file : {&authority_, &log_, &framebuffer_})
    unlink(file->c_str());
  if (!folder_.empty())
    rmdir(folder_.c_str());
}

}  // namespace vitrine
