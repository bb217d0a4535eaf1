// SPDX-License-Identifier: LGPL-2.1-or-later
// NvFBC, the NVIDIA driver's framebuffer capture (libnvidia-fbc.so.1), interface 1.7: what we use of it, declared from the
// facts of NVIDIA's public interface, since its header is in no distribution.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vitrine::nvfbc {

enum Result : int {  // Xlib has a macro Status
  kSuccess = 0,
  kApiVersion = 1,
  kInternal = 2,
  kInvalidParam = 3,
  kInvalidPointer = 4,
  kInvalidHandle = 5,
  kMaxClients = 6,
  kUnsupported = 7,
  kOutOfMemory = 8,
  kBadRequest = 9,
  kX = 10,
  kGlx = 11,
  kGl = 12,
  kCuda = 13,
  kEncoder = 14,
  kContext = 15,
  kMustRecreate = 16,
  kVulkan = 17,
};

using Handle = uint64_t;

inline constexpr uint32_t kVersion = 7 | 1 << 8;

template <typename Params>
constexpr uint32_t version_of() {
  return static_cast<uint32_t>(sizeof(Params)) | Params::kNumber << 16 | kVersion << 24;
}

struct Box {
  uint32_t x, y, w, h;
};

struct GrabInfo {
  uint32_t width;
  uint32_t height;
  uint32_t bytes;
  uint32_t frame;
  uint32_t is_new;
  uint64_t timestamp_us;
  uint32_t missed_frames;
  uint32_t needed_post_processing;
  uint32_t was_direct;
};

struct CreateHandle {
  static constexpr uint32_t kNumber = 2;
  uint32_t version;
  const void* private_data;
  uint32_t private_bytes;
  uint32_t external_context;
  void* glx_context;
  void* glx_config;
};

struct DestroyHandle {
  static constexpr uint32_t kNumber = 1;
  uint32_t version;
};

struct Output {
  uint32_t id;
  char name[128];
  Box box;
};

struct GetStatus {
  static constexpr uint32_t kNumber = 2;
  uint32_t version;
  uint32_t capture_possible;
  uint32_t capturing;
  uint32_t can_create_now;
  uint32_t screen_width;
  uint32_t screen_height;
  uint32_t has_randr;
  Output outputs[5];
  uint32_t output_count;
  uint32_t library_version;
  uint32_t in_modeset;
};

inline constexpr uint32_t kCaptureSharedCuda = 1;
inline constexpr uint32_t kTrackScreen = 2;

struct CreateCapture {
  static constexpr uint32_t kNumber = 6;
  uint32_t version;
  uint32_t capture_type;
  uint32_t tracking;
  uint32_t output_id;
  Box box;
  uint32_t frame_width;
  uint32_t frame_height;
  uint32_t with_cursor;
  uint32_t no_modeset_recovery;
  uint32_t round_size;
  uint32_t sampling_ms;
  uint32_t push_model;
  uint32_t allow_direct;
};

struct DestroyCapture {
  static constexpr uint32_t kNumber = 1;
  uint32_t version;
};

struct Bind {
  static constexpr uint32_t kNumber = 1;
  uint32_t version;
};

struct Release {
  static constexpr uint32_t kNumber = 1;
  uint32_t version;
};

inline constexpr uint32_t kFormatBgra = 5;

struct CudaSetup {
  static constexpr uint32_t kNumber = 1;
  uint32_t version;
  uint32_t format;
};

inline constexpr uint32_t kNoWait = 1 << 0;
inline constexpr uint32_t kNoWaitIfNewFrameReady = 1 << 2;

struct CudaGrab {
  static constexpr uint32_t kNumber = 2;
  uint32_t version;
  uint32_t flags;
  void* device_buffer;  // a CUdeviceptr is written here; good until the next grab
  GrabInfo* info;
  uint32_t timeout_ms;
};

static_assert(sizeof(GrabInfo) == 48 && sizeof(CreateHandle) == 40 && sizeof(GetStatus) == 780);
static_assert(sizeof(CreateCapture) == 64 && sizeof(CudaSetup) == 8 && sizeof(CudaGrab) == 32);

struct Functions {
  uint32_t version;
  const char* (*last_error)(Handle);
  Result (*create_handle)(Handle*, CreateHandle*);
  Result (*destroy_handle)(Handle, DestroyHandle*);
  Result (*get_status)(Handle, GetStatus*);
  Result (*create_capture)(Handle, CreateCapture*);
  Result (*destroy_capture)(Handle, DestroyCapture*);
  void* unused_system_memory[2];
  Result (*cuda_setup)(Handle, CudaSetup*);
  Result (*cuda_grab)(Handle, CudaGrab*);
  void* retired1[3];
  Result (*bind)(Handle, Bind*);
  Result (*release)(Handle, Release*);
  void* retired2[4];
  void* unused_gl[2];
};
static_assert(offsetof(Functions, cuda_setup) == 9 * 8 && offsetof(Functions, bind) == 14 * 8 && sizeof(Functions) == 22 * 8);

using CreateInstance = Result (*)(Functions*);

}  // namespace vitrine::nvfbc
