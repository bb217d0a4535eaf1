// SPDX-License-Identifier: LGPL-2.1-or-later
// One NVENC session: a frame goes in, its bytes come out at once.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>

#include "common/cuda-driver.h"
#include "nvenc/nvenc-api.h"
#include "nvenc/nvenc-config.h"

namespace vitrine {

/// Pixels in device memory, planes one behind the other as NVENC wants them.
struct NvencSurface {
  CUdeviceptr address = 0;
  unsigned pitch = 0;  // bytes, of every plane
};

struct NvencFrame {
  uint64_t timestamp = 0;  // any unit; names the frame for invalidate()
  bool force_idr = false;
  std::span<const int8_t> qp_map;  // empty, or an entry for each block of nvenc_map_block()
};

struct NvencOutput {
  std::span<const uint8_t> bytes;
  bool is_idr = false;
};

/// Thread-safe, and makes the context current itself. Functions that return bool leave a sentence in failure().
class NvencSession {
 public:
  /// Null, with a sentence for the user in `error`.
  static std::shared_ptr<NvencSession> open(const NvencApi& api, GstCudaContext* context, const NvencSettings& settings,
                                            std::string* error);
  ~NvencSession();
  NvencSession(const NvencSession&) = delete;
  NvencSession& operator=(const NvencSession&) = delete;

  // For the thread that encodes.
  const NvencSettings& settings() const { return settings_; }
  const std::string& failure() const { return failure_; }

  /// Takes over another bitrate, framerate or size without a new session. A new size starts with an IDR picture, since
  /// it has other parameter sets; nothing else does.
  bool reconfigure(const NvencSettings& wanted);
  /// Following frames do not refer to the frame of this timestamp. False also where the GPU cannot do that.
  bool invalidate(uint64_t timestamp);

  /// Registers memory that is encoded from again and again; null on failure. Good until the size changes: then epoch()
  /// does too, and all are let go.
  NV_ENC_REGISTERED_PTR register_surface(const NvencSurface& surface);
  /// Nothing happens if it was let go already.
  void unregister_surface(NV_ENC_REGISTERED_PTR resource, unsigned epoch);
  unsigned epoch() const;
  /// Encodes registered memory and waits. `take` gets the bytes, which are gone after it.
  bool encode(NV_ENC_REGISTERED_PTR resource, unsigned pitch, const NvencFrame& frame,
              const std::function<void(const NvencOutput&)>& take);

 private:
  NvencSession(const NvencApi& api, GstCudaContext* context, const NvencSettings& settings);
  bool start();
  void unregister_all();
  bool succeeded(const char* call, NVENCSTATUS status);
  bool check_abilities();
  NVENCSTATUS encode_picture(const NV_ENC_PIC_PARAMS& picture);
  int ability(NV_ENC_CAPS which);

  const NvencApi& api_;
  Ref<GstCudaContext> context_;
  NvencSettings settings_;
  void* encoder_ = nullptr;
  NV_ENC_OUTPUT_PTR bitstream_ = nullptr;
  uint32_t frame_index_ = 0;
  bool can_invalidate_ = false;
  std::string failure_;

  std::mutex mutex_;  // one call into the session at a time: surfaces are let go on any thread
  std::set<NV_ENC_REGISTERED_PTR> registered_;
  std::atomic<unsigned> epoch_{0};
};

}  // namespace vitrine
