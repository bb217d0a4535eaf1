// SPDX-License-Identifier: LGPL-2.1-or-later
// A fake libnvidia-fbc.so.1: pictures of the X server of $DISPLAY, whichever that is, in memory of the fake libcuda.so.1.
// Versions, order of calls, threads and contexts are checked strictly, and nobody may come with a key.
//
// FAKE_NVFBC, a comma-separated list, makes it misbehave:
//   old-library        interface 1.6
//   refuse-handle      no client is accepted
//   no-capture         what GeForce cards say: capture is not possible
//   unsupported        a capture session cannot be made
//   refuse-setup       memory of CUDA cannot be shared
//   must-recreate=N    after N grabs of a capture session a mode is set
//   x-error=N          the connection to the X server breaks at grab number N
#include "fake-nvfbc.h"

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/extensions/Xdamage.h>
#include <cuda.h>
#include <poll.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "faults.h"
#include "nvfbc-interface.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

extern "C" CUresult cuMemAlloc_v2(CUdeviceptr* address, size_t bytes);
extern "C" CUresult cuMemFree_v2(CUdeviceptr address);
extern "C" CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D* copy);

namespace {

using namespace vitrine::nvfbc;
using vitrine::FakeNvfbcCounters;

struct Client {
  Display* display = nullptr;
  bool broken = false;
  Damage damage = 0;
  int damage_event = 0;
  std::thread::id bound;
  bool is_bound = false;
  bool captures = false;
  bool set_up = false;
  bool recovers = true;
  int width = 0, height = 0;
  CUdeviceptr memory = 0;
  uint32_t frame = 0;
  uint64_t grabs = 0;  // of this capture session
  bool pending = true;
};

std::mutex mutex;
FakeNvfbcCounters counters;
std::map<Handle, std::unique_ptr<Client>> clients;
Handle next_handle = 1;
uint64_t all_grabs = 0;

Result misuse(const char* call, const char* what, Result result) {
  std::fprintf(stderr, "fake-nvfbc: %s: %s\n", call, what);
  counters.misuses++;
  return result;
}

bool asked_for(const char* fault, unsigned long* number = nullptr) {
  return vitrine::fault_asked_for("FAKE_NVFBC", fault, number);
}

#define CLIENT(call, Type)                                             \
  std::lock_guard<std::mutex> guard(mutex);                            \
  const auto found = clients.find(handle);                             \
  if (found == clients.end())                                          \
    return misuse(call, "no such handle", kInvalidHandle);             \
  Client& client = *found->second;                                     \
  (void)client;                                                        \
  if (params->version != version_of<Type>())                           \
  return misuse(call, "version", kApiVersion)

#define BOUND(call)                                                       \
  if (!client.is_bound || client.bound != std::this_thread::get_id())     \
  return misuse(call, "its context is not bound to this thread", kContext)

const char* last_error(Handle) {
  return "the fake says so";
}

/// Xlib would end the process together with the server.
void keep_alive(Display* display, bool* broken) {
  static std::mutex displays_mutex;
  static std::set<Display*> displays;
  static XIOErrorHandler previous = nullptr;
  std::lock_guard<std::mutex> guard(displays_mutex);
  displays.insert(display);
  if (!previous)
    previous = XSetIOErrorHandler([](Display* failed) {
      std::lock_guard<std::mutex> inner(displays_mutex);
      return displays.count(failed) ? 0 : previous(failed);
    });
  XSetIOErrorExitHandler(
      display,
      [](Display* failed, void* data) {
        XUnlockDisplay(failed);  // Xlib expects us not to return
        *static_cast<bool*>(data) = true;
      },
      broken);
}

Result create_handle(Handle* handle, CreateHandle* params) {
  std::lock_guard<std::mutex> guard(mutex);
  if (params->version != version_of<CreateHandle>())
    return misuse("NvFBCCreateHandle", "version", kApiVersion);
  if (params->private_data || params->private_bytes)
    return misuse("NvFBCCreateHandle", "a key", kInvalidParam);
  if (asked_for("refuse-handle"))
    return kInternal;
  all_grabs = 0;
  auto client = std::make_unique<Client>();
  client->display = XOpenDisplay(nullptr);
  if (!client->display)
    return kX;
  keep_alive(client->display, &client->broken);
  int error = 0;
  XDamageQueryExtension(client->display, &client->damage_event, &error);
  client->is_bound = true;
  client->bound = std::this_thread::get_id();
  *handle = next_handle++;
  clients[*handle] = std::move(client);
  counters.handles++;
  counters.live_handles++;
  return kSuccess;
}

void drop_memory(Client& client) {
  if (client.memory)
    cuMemFree_v2(client.memory);
  client.memory = 0;
}

Result destroy_handle(Handle handle, DestroyHandle* params) {
  CLIENT("NvFBCDestroyHandle", DestroyHandle);
  BOUND("NvFBCDestroyHandle");
  if (client.captures) {
    misuse("NvFBCDestroyHandle", "with a capture session left", kBadRequest);
    drop_memory(client);
  }
  if (!client.broken)
    XCloseDisplay(client.display);
  clients.erase(found);
  counters.live_handles--;
  return kSuccess;
}

Result get_status(Handle handle, GetStatus* params) {
  CLIENT("NvFBCGetStatus", GetStatus);
  params->capture_possible = params->can_create_now = !asked_for("no-capture");
  params->library_version = kVersion;
  return kSuccess;
}

Result create_capture(Handle handle, CreateCapture* params) {
  CLIENT("NvFBCCreateCaptureSession", CreateCapture);
  BOUND("NvFBCCreateCaptureSession");
  if (client.captures)
    return misuse("NvFBCCreateCaptureSession", "there is one already", kBadRequest);
  if (params->capture_type != kCaptureSharedCuda || params->tracking != kTrackScreen || params->frame_width ||
      params->box.w || (params->allow_direct && (!params->push_model || params->with_cursor)))
    return misuse("NvFBCCreateCaptureSession", "parameters", kInvalidParam);
  if (asked_for("unsupported"))
    return kUnsupported;
  client.captures = true;
  client.set_up = false;
  client.recovers = !params->no_modeset_recovery;
  client.width = DisplayWidth(client.display, 0);
  client.height = DisplayHeight(client.display, 0);
  XWindowAttributes attributes;
  if (XGetWindowAttributes(client.display, DefaultRootWindow(client.display), &attributes)) {
    client.width = attributes.width;
    client.height = attributes.height;
  }
  client.damage = XDamageCreate(client.display, DefaultRootWindow(client.display), XDamageReportNonEmpty);
  XSync(client.display, False);
  client.pending = true;
  client.grabs = 0;
  counters.with_cursor = params->with_cursor;
  counters.captures++;
  counters.live_captures++;
  return kSuccess;
}

Result destroy_capture(Handle handle, DestroyCapture* params) {
  CLIENT("NvFBCDestroyCaptureSession", DestroyCapture);
  BOUND("NvFBCDestroyCaptureSession");
  if (!client.captures)
    return misuse("NvFBCDestroyCaptureSession", "there is none", kBadRequest);
  if (!client.broken)
    XDamageDestroy(client.display, client.damage);
  drop_memory(client);
  client.captures = false;
  counters.live_captures--;
  return kSuccess;
}

Result cuda_setup(Handle handle, CudaSetup* params) {
  CLIENT("NvFBCToCudaSetUp", CudaSetup);
  BOUND("NvFBCToCudaSetUp");
  if (!client.captures || params->format != kFormatBgra)
    return misuse("NvFBCToCudaSetUp", "no capture session, or a format that costs a conversion", kBadRequest);
  if (asked_for("refuse-setup"))
    return kCuda;
  if (cuMemAlloc_v2(&client.memory, static_cast<size_t>(client.width) * client.height * 4) != CUDA_SUCCESS)
    return kOutOfMemory;
  client.set_up = true;
  return kSuccess;
}

/// Something was painted since the last picture.
bool look_for_news(Client& client) {
  while (!client.broken && XPending(client.display) > 0) {
    XEvent event;
    XNextEvent(client.display, &event);
    client.pending = client.pending || event.type == client.damage_event + XDamageNotify;
  }
  return client.pending;
}

void take_picture(Client& client) {
  XDamageSubtract(client.display, client.damage, 0, 0);
  client.pending = false;
  // The screen may be smaller by now, which is an error, and Xlib ends the program on errors.
  const XErrorHandler before = XSetErrorHandler([](Display*, XErrorEvent*) { return 0; });
  XImage* image = XGetImage(client.display, DefaultRootWindow(client.display), 0, 0, static_cast<unsigned>(client.width),
                            static_cast<unsigned>(client.height), AllPlanes, ZPixmap);
  XSetErrorHandler(before);
  if (!image)
    return;
  CUDA_MEMCPY2D copy{};
  copy.srcMemoryType = CU_MEMORYTYPE_HOST;
  copy.srcHost = image->data;
  copy.srcPitch = static_cast<size_t>(image->bytes_per_line);
  copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.dstDevice = client.memory;
  copy.dstPitch = copy.WidthInBytes = static_cast<size_t>(client.width) * 4;
  copy.Height = static_cast<size_t>(client.height);
  cuMemcpy2D_v2(&copy);
  XDestroyImage(image);
  client.frame++;
  counters.new_frames++;
}

Result cuda_grab(Handle handle, CudaGrab* params) {
  CLIENT("NvFBCToCudaGrabFrame", CudaGrab);
  BOUND("NvFBCToCudaGrabFrame");
  if (!client.captures || !client.set_up)
    return misuse("NvFBCToCudaGrabFrame", "nothing is set up", kBadRequest);
  if (!params->device_buffer || !params->info)
    return misuse("NvFBCToCudaGrabFrame", "no pointers", kInvalidPointer);
  counters.grabs++;
  unsigned long number = 0;
  if (asked_for("x-error", &number) && ++all_grabs >= number)
    return kX;
  if (asked_for("must-recreate", &number) && ++client.grabs > number)
    return kMustRecreate;
  XWindowAttributes now;
  if (client.broken || !XGetWindowAttributes(client.display, DefaultRootWindow(client.display), &now) || client.broken)
    return kX;
  if (now.width != client.width || now.height != client.height)
    return client.recovers ? misuse("NvFBCToCudaGrabFrame", "a size that was not noticed", kInternal) : kMustRecreate;
  if (params->flags == kNoWaitIfNewFrameReady && !look_for_news(client)) {
    pollfd fd{ConnectionNumber(client.display), POLLIN, 0};
    poll(&fd, 1, params->timeout_ms ? static_cast<int>(params->timeout_ms) : -1);
  } else if (params->flags != kNoWaitIfNewFrameReady && params->flags != kNoWait) {
    return misuse("NvFBCToCudaGrabFrame", "flags that wait for ever", kInvalidParam);
  }
  const bool is_new = look_for_news(client);
  if (is_new)
    take_picture(client);
  if (client.broken)
    return kX;
  std::memcpy(params->device_buffer, &client.memory, sizeof client.memory);
  *params->info = {};
  params->info->width = static_cast<uint32_t>(client.width);
  params->info->height = static_cast<uint32_t>(client.height);
  params->info->bytes = static_cast<uint32_t>(client.width * client.height * 4);
  params->info->frame = client.frame;
  params->info->is_new = is_new;
  return kSuccess;
}

Result bind(Handle handle, Bind* params) {
  CLIENT("NvFBCBindContext", Bind);
  if (client.is_bound && client.bound != std::this_thread::get_id())
    return misuse("NvFBCBindContext", "bound to another thread", kContext);
  client.is_bound = true;
  client.bound = std::this_thread::get_id();
  return kSuccess;
}

Result release(Handle handle, Release* params) {
  CLIENT("NvFBCReleaseContext", Release);
  BOUND("NvFBCReleaseContext");
  client.is_bound = false;
  return kSuccess;
}

}  // namespace

EXPORT FakeNvfbcCounters* fake_nvfbc_counters() {
  return &counters;
}

EXPORT Result NvFBCCreateInstance(Functions* list) {
  std::lock_guard<std::mutex> guard(mutex);
  if (list->version != kVersion || asked_for("old-library"))
    return kApiVersion;
  list->last_error = last_error;
  list->create_handle = create_handle;
  list->destroy_handle = destroy_handle;
  list->get_status = get_status;
  list->create_capture = create_capture;
  list->destroy_capture = destroy_capture;
  list->cuda_setup = cuda_setup;
  list->cuda_grab = cuda_grab;
  list->bind = bind;
  list->release = release;
  return kSuccess;
}
