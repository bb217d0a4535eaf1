// SPDX-License-Identifier: LGPL-2.1-or-later
// Discovery of Xvfb's framebuffer: socket peer -> SysV segment or -fbdir file -> header -> a few rows
// compared.
#include "capture/capture-fb.h"

#include <X11/Xutil.h>
#include <X11/extensions/Xfixes.h>
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

#include "capture/xwd-header.h"
#include "common/unique-fd.h"

namespace vitrine {
namespace {

/// Memory of the server that we look at but do not own.
class ForeignMemory : public SourceMemory {
 public:
  ~ForeignMemory() override {
    if (data_ && is_segment_)
      shmdt(data_);
    else if (data_)
      munmap(data_, bytes_);
  }

  ForeignMemory(const ForeignMemory&) = delete;
  ForeignMemory& operator=(const ForeignMemory&) = delete;

  /// Attaches if the segment belongs to `owner`; its size is the kernel's word, not the header's.
  static std::shared_ptr<ForeignMemory> segment(int id, uid_t owner, bool writable) {
    void* memory = shmat(id, nullptr, writable ? 0 : SHM_RDONLY);
    if (memory == reinterpret_cast<void*>(-1))
      return nullptr;
    // Asked after attaching: the id cannot come to mean another segment any more.
    shmid_ds status{};
    if (shmctl(id, IPC_STAT, &status) != 0 ||
        (status.shm_perm.cuid != owner && status.shm_perm.uid != owner)) {
      shmdt(memory);
      return nullptr;
    }
    return std::shared_ptr<ForeignMemory>(new ForeignMemory(memory, status.shm_segsz, true));
  }

  static std::shared_ptr<ForeignMemory> file(const std::string& path, uid_t owner, bool writable) {
    const UniqueFd fd(
        open(path.c_str(), (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat status {};
    if (!fd || fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != owner ||
        status.st_size <= 0)
      return nullptr;
    const size_t bytes = static_cast<size_t>(status.st_size);
    void* memory = mmap(nullptr, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd.get(), 0);
    if (memory == MAP_FAILED)
      return nullptr;
    return std::shared_ptr<ForeignMemory>(new ForeignMemory(memory, bytes, false));
  }

  const uint8_t* data() const override { return static_cast<const uint8_t*>(data_); }
  size_t bytes() const override { return bytes_; }

 private:
  ForeignMemory(void* data, size_t bytes, bool is_segment)
      : data_(data), bytes_(bytes), is_segment_(is_segment) {}
  void* data_;
  size_t bytes_;
  bool is_segment_;
};

struct Candidate {
  std::shared_ptr<ForeignMemory> memory;
  XwdFramebuffer framebuffer;
  int segment = -1;
};

/// True when the header names this display: it ends in ":N.S", which a user cannot choose for an Xvfb of
/// another number.
bool names_display(const std::string& name, const std::string& display, int screen) {
  const size_t colon = display.rfind(':');
  if (colon == std::string::npos || name.rfind("Xvfb ", 0) != 0)
    return false;
  const std::string number = display.substr(colon, display.find('.', colon) - colon);
  const std::string end = number + "." + std::to_string(screen);
  return name.size() > end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
}

/// `why_not` is the last reason why something was refused.
class Search {
 public:
  Search(X11Connection& connection, const ucred& server, bool writable)
      : connection_(connection), server_(server), writable_(writable) {}

  const std::string& why_not() const { return why_not_; }
  std::optional<Candidate> run() {
    std::optional<Candidate> found = in_segments();
    return found ? std::move(found) : in_file();
  }

 private:
  std::optional<Candidate> examine(std::shared_ptr<ForeignMemory> memory, const std::string& what) {
    if (!memory)
      return std::nullopt;
    std::string reason;
    std::optional<XwdFramebuffer> framebuffer = parse_xwd_header(memory->data(), memory->bytes(), &reason);
    if (!framebuffer) {
      why_not_ = what + ": " + reason;
      return std::nullopt;
    }
    if (!names_display(framebuffer->name, connection_.name(), DefaultScreen(connection_.display()))) {
      why_not_ = what + ": it is the framebuffer of another display";
      return std::nullopt;
    }
    return Candidate{std::move(memory), std::move(*framebuffer)};
  }

  std::optional<Candidate> in_segments() {
    std::ifstream list("/proc/sysvipc/shm");
    std::string line;
    std::getline(list, line);
    while (std::getline(list, line)) {
      std::istringstream fields(line);
      long key, id, permissions, bytes, creator;
      if (!(fields >> key >> id >> permissions >> bytes >> creator))
        continue;
      // From within another PID namespace the socket's peer is unknown; then owner, header and rows must do.
      if (server_.pid > 0 && creator != server_.pid)
        continue;
      const int segment = static_cast<int>(id);
      auto found =
          examine(ForeignMemory::segment(segment, server_.uid, writable_), "SysV segment " + std::to_string(segment));
      if (found) {
        found->segment = segment;
        return found;
      }
    }
    return std::nullopt;
  }

  std::optional<Candidate> in_file() {
    if (server_.pid <= 0)
      return std::nullopt;
    const std::string process = "/proc/" + std::to_string(server_.pid);
    std::ifstream file(process + "/cmdline", std::ios::binary);
    const std::string arguments{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    std::istringstream split(arguments);
    std::string argument;
    while (std::getline(split, argument, '\0')) {
      if (argument != "-fbdir" || !std::getline(split, argument, '\0'))
        continue;
      const std::string directory = argument.rfind('/', 0) == 0 ? argument : process + "/cwd/" + argument;
      const std::string path =
          directory + "/Xvfb_screen" + std::to_string(DefaultScreen(connection_.display()));
      return examine(ForeignMemory::file(path, server_.uid, writable_), path);
    }
    return std::nullopt;
  }

  X11Connection& connection_;
  ucred server_;
  bool writable_;
  std::string why_not_ = "the X server is no Xvfb with -shmem or -fbdir of this user";
};

class FbSource : public FrameSource {
 public:
  FbSource(X11Connection& connection, Candidate candidate)
      : connection_(connection), candidate_(std::move(candidate)) {
    XFixesHideCursor(connection_.display(), connection_.root());
    XSync(connection_.display(), False);
  }
  ~FbSource() override {
    if (connection_.alive())
      XFixesShowCursor(connection_.display(), connection_.root());
  }

  const char* name() const override { return "fb"; }
  bool is_live_memory() const override { return true; }
  std::shared_ptr<const SourceMemory> memory() const override { return candidate_.memory; }

  bool read(const std::vector<Rect>& rects, std::vector<PixelView>& views) override {
    const XwdFramebuffer& fb = candidate_.framebuffer;
    views.clear();
    for (const Rect& rect : rects) {
      if (intersect(rect, whole(fb.size)) != rect)
        return false;
      views.push_back({pixel(rect.x, rect.y), fb.stride});
    }
    return true;
  }

  /// Whether a few rows are what the server itself says is on its screen.
  bool agrees_with_server() {
    Display* display = connection_.display();
    XWindowAttributes root;
    if (!XGetWindowAttributes(display, connection_.root(), &root) ||
        root.width > candidate_.framebuffer.size.width || root.height > candidate_.framebuffer.size.height)
      return false;
    constexpr int kRows = 8;
    for (int i = 0; i < kRows; i++) {
      const int y = static_cast<int>(int64_t{root.height - 1} * i / (kRows - 1));
      // The screen may change between the two looks: what differs gets a second chance.
      bool same = false;
      for (int attempt = 0; attempt < 3 && !same; attempt++)
        same = row_agrees(y, root.width);
      if (!same)
        return false;
    }
    return true;
  }

 private:
  const uint8_t* pixel(int x, int y) const {
    const XwdFramebuffer& fb = candidate_.framebuffer;
    return candidate_.memory->data() + fb.pixels + static_cast<size_t>(y) * fb.stride +
           static_cast<size_t>(x) * 4;
  }

  bool row_agrees(int y, int width) {
    XImage* image = XGetImage(connection_.display(), connection_.root(), 0, y, width, 1, AllPlanes, ZPixmap);
    if (!image)
      return false;
    bool same = image->bits_per_pixel == 32;
    for (int x = 0; same && x < width; x++)
      same = std::memcmp(pixel(x, y), image->data + static_cast<size_t>(x) * 4, 3) == 0;
    XDestroyImage(image);
    return same;
  }

  X11Connection& connection_;
  Candidate candidate_;
};

}  // namespace

std::unique_ptr<FrameSource> open_fb_source(X11Connection& connection, bool writable, std::string* why_not) {
  int event_base;
  int error_base;
  if (!XFixesQueryExtension(connection.display(), &event_base, &error_base)) {
    *why_not = "the X server has no XFixes, which must hide its pointer";
    return nullptr;
  }
  ucred server{};
  socklen_t length = sizeof server;
  if (getsockopt(connection.fd(), SOL_SOCKET, SO_PEERCRED, &server, &length) != 0 ||
      server.uid == static_cast<uid_t>(-1)) {
    *why_not = "the display is not reached by a local socket";
    return nullptr;
  }
  Search search(connection, server, writable);
  std::optional<Candidate> candidate = search.run();
  if (!candidate) {
    *why_not = search.why_not();
    return nullptr;
  }
  const int segment = candidate->segment;
  auto source = std::make_unique<FbSource>(connection, std::move(*candidate));
  if (!source->agrees_with_server()) {
    *why_not = "the framebuffer does not show what the X server says is on its screen";
    return nullptr;
  }
  if (segment >= 0)
    shmctl(segment, IPC_RMID, nullptr);  // not permitted when another user owns it; then nothing changes
  return source;
}

}  // namespace vitrine
