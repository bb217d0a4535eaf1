// SPDX-License-Identifier: LGPL-2.1-or-later
// MIT-SHM by a memory file passed over the socket, or by a SysV segment on servers older than MIT-SHM 1.2.
#include "capture/capture-shm.h"

#include <X11/Xlib-xcb.h>
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <xcb/shm.h>

#include <cstdlib>
#include <cstring>

#include "common/unique-fd.h"

namespace vitrine {
namespace {

struct FreeReply {
  void operator()(void* reply) const { std::free(reply); }
};
template <typename T>
using Reply = std::unique_ptr<T, FreeReply>;

bool is_unix_socket(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  return getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0 && address.ss_family == AF_UNIX;
}

/// Memory shared with the server, by whichever way it takes.
class SharedMemory : public SourceMemory {
 public:
  SharedMemory(X11Connection& connection, xcb_connection_t* xcb) : connection_(connection), xcb_(xcb) {}
  ~SharedMemory() override {
    if (segment_ && connection_.alive()) {
      xcb_shm_detach(xcb_, segment_);
      xcb_flush(xcb_);
    }
    if (mapped_)
      munmap(mapped_, bytes_);
    if (attached_)
      shmdt(attached_);
  }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  bool attach_file(size_t bytes) {
    UniqueFd fd(memfd_create("vitrine-capture", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd || ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0)
      return false;
    // Nobody can take the memory away under our feet.
    fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (memory == MAP_FAILED)
      return false;
    mapped_ = memory;
    bytes_ = bytes;
    const xcb_shm_seg_t segment = xcb_generate_id(xcb_);
    return accepted(segment, xcb_shm_attach_fd_checked(xcb_, segment, fd.release(), 0));
  }

  bool attach_sysv(size_t bytes) {
    const int id = shmget(IPC_PRIVATE, bytes, IPC_CREAT | 0600);
    if (id < 0)
      return false;
    void* memory = shmat(id, nullptr, 0);
    bool ok = memory != reinterpret_cast<void*>(-1);
    if (ok) {
      attached_ = memory;
      bytes_ = bytes;
      const xcb_shm_seg_t segment = xcb_generate_id(xcb_);
      ok = accepted(segment, xcb_shm_attach_checked(xcb_, segment, id, 0));
    }
    shmctl(id, IPC_RMID, nullptr);  // lives on until both sides have let go
    return ok;
  }

  const uint8_t* data() const override { return static_cast<const uint8_t*>(mapped_ ? mapped_ : attached_); }
  size_t bytes() const override { return bytes_; }
  xcb_shm_seg_t segment() const { return segment_; }

 private:
  bool accepted(xcb_shm_seg_t segment, xcb_void_cookie_t cookie) {
    const Reply<xcb_generic_error_t> error(xcb_request_check(xcb_, cookie));
    if (error || xcb_connection_has_error(xcb_))
      return false;
    segment_ = segment;
    return true;
  }

  X11Connection& connection_;
  xcb_connection_t* xcb_;
  xcb_shm_seg_t segment_ = 0;
  void* mapped_ = nullptr;
  void* attached_ = nullptr;
  size_t bytes_ = 0;
};

class ShmSource : public FrameSource {
 public:
  ShmSource(xcb_connection_t* xcb, Drawable drawable, size_t bytes, std::shared_ptr<SharedMemory> memory)
      : xcb_(xcb),
        drawable_(static_cast<xcb_drawable_t>(drawable)),
        bytes_(bytes),
        memory_(std::move(memory)) {}

  const char* name() const override { return "shm"; }
  bool is_live_memory() const override { return false; }
  std::shared_ptr<const SourceMemory> memory() const override { return memory_; }

  bool read(const std::vector<Rect>& rects, std::vector<PixelView>& views) override {
    views.clear();
    cookies_.clear();
    size_t offset = 0;
    // All requests go out before the first answer is waited for.
    for (const Rect& rect : rects) {
      const size_t stride = static_cast<size_t>(rect.width) * 4;
      const size_t length = stride * rect.height;
      if (length > bytes_ - offset)
        break;
      views.push_back({memory_->data() + offset, stride});
      cookies_.push_back(xcb_shm_get_image(xcb_, drawable_, static_cast<int16_t>(rect.x),
                                           static_cast<int16_t>(rect.y), static_cast<uint16_t>(rect.width),
                                           static_cast<uint16_t>(rect.height), ~0u, XCB_IMAGE_FORMAT_Z_PIXMAP,
                                           memory_->segment(), static_cast<uint32_t>(offset)));
      offset += length;
    }
    bool ok = views.size() == rects.size();
    for (const xcb_shm_get_image_cookie_t& cookie : cookies_) {
      xcb_generic_error_t* raw_error = nullptr;
      const Reply<xcb_shm_get_image_reply_t> reply(xcb_shm_get_image_reply(xcb_, cookie, &raw_error));
      const Reply<xcb_generic_error_t> error(raw_error);
      ok = ok && reply;
    }
    return ok;
  }

 private:
  xcb_connection_t* xcb_;
  xcb_drawable_t drawable_;
  size_t bytes_;
  std::shared_ptr<SharedMemory> memory_;
  std::vector<xcb_shm_get_image_cookie_t> cookies_;
};

}  // namespace

std::unique_ptr<FrameSource> open_shm_source(X11Connection& connection, Drawable drawable, Size size,
                                             std::string* why_not) {
  xcb_connection_t* xcb = XGetXCBConnection(connection.display());
  const xcb_query_extension_reply_t* extension = xcb_get_extension_data(xcb, &xcb_shm_id);
  if (!extension || !extension->present) {
    *why_not = "the X server has no MIT-SHM";
    return nullptr;
  }
  if (!is_unix_socket(connection.fd())) {
    *why_not = "the display is not reached by a local socket";
    return nullptr;
  }
  const Reply<xcb_shm_query_version_reply_t> version(
      xcb_shm_query_version_reply(xcb, xcb_shm_query_version(xcb), nullptr));
  const bool takes_files =
      version && (version->major_version > 1 || (version->major_version == 1 && version->minor_version >= 2));
  const size_t bytes = static_cast<size_t>(size.width) * size.height * 4;

  auto memory = std::make_shared<SharedMemory>(connection, xcb);
  if (!takes_files || !memory->attach_file(bytes)) {
    memory = std::make_shared<SharedMemory>(connection, xcb);
    if (!memory->attach_sysv(bytes)) {
      *why_not = "the X server refused the shared memory (another user or IPC namespace?)";
      return nullptr;
    }
  }
  return std::make_unique<ShmSource>(xcb, drawable, bytes, std::move(memory));
}

}  // namespace vitrine
