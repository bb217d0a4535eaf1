// SPDX-License-Identifier: LGPL-2.1-or-later
// The body of nvstreamenc: settings, session, and one frame at a time.
#pragma once

#include <gst/video/gstvideoencoder.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/ref.h"
#include "nvenc/nvenc-input.h"
#include "nvenc/nvenc-session.h"

namespace vitrine {

VITRINE_REF_TRAITS(GstVideoCodecState, gst_video_codec_state_ref, gst_video_codec_state_unref);

struct NvStreamEncOptions {
  unsigned bitrate = 8000;  // kbit/s
  int preset = 3;
  double vbv_frames = 1.5;
  bool lossless = false;
  int intra_refresh_period = 0;
  int qp_min = -1;
  int qp_max = -1;
  int damage_qp_offset = 0;
  int max_width = 3840;
  int max_height = 2160;
};

/// Options come from any thread; the rest belongs to the streaming thread, and to open() and close() around it.
class NvStreamEncBody {
 public:
  explicit NvStreamEncBody(GstVideoEncoder* element) : element_(element) {}
  ~NvStreamEncBody();

  template <typename Change>
  void change_options(Change change) {
    std::lock_guard<std::mutex> lock(mutex_);
    change(options_);
  }
  NvStreamEncOptions options() {
    std::lock_guard<std::mutex> lock(mutex_);
    return options_;
  }
  StructurePtr stats() const;
  /// What NVENC on the chosen GPU can do; opens a session of its own. Has `error` (string) when it is nothing.
  StructurePtr capabilities();

  void set_device_id(int id) { device_id_ = id; }
  int device_id() const { return device_id_; }
  void set_context(GstContext* context);
  bool answer_context_query(GstQuery* query);

  bool open();
  void close();
  void stop();
  bool set_format(GstVideoCodecState* state);
  bool propose_allocation(GstQuery* query);
  GstFlowReturn handle_frame(GstVideoCodecFrame* frame);
  /// Frames from this time on are lost at the receiver: no further frame refers to them.
  void invalidate_from(GstClockTime pts);

 private:
  NvencSettings wanted_settings();
  bool start_session(const NvencSettings& settings);
  bool follow_options();
  GstFlowReturn fail();
  std::span<const int8_t> damage_map(GstBuffer* buffer, int offset);
  bool ensure_context(std::string* error);

  GstVideoEncoder* element_;
  std::mutex mutex_;
  NvStreamEncOptions options_;
  std::recursive_mutex context_mutex_;
  GstCudaContext* context_ = nullptr;
  std::atomic<int> device_id_{-1};

  const CudaDriver* driver_ = nullptr;
  Ref<GstVideoCodecState> input_state_;
  NvencCodec codec_ = NvencCodec::kH264;
  NvencProfile profile_ = NvencProfile::kHigh;
  std::shared_ptr<NvencSession> session_;
  std::unique_ptr<NvencInput> input_;
  std::string failure_;
  std::vector<int8_t> map_;
  std::array<uint64_t, 64> recent_{};  // timestamps of encoded frames, a ring
  size_t recent_next_ = 0;
  std::atomic<uint64_t> lost_from_{UINT64_MAX};

  std::atomic<uint64_t> frames_{0};
  std::atomic<uint64_t> idrs_{0};
  std::atomic<uint64_t> reconfigures_{0};
  std::atomic<uint64_t> invalidations_{0};
  std::atomic<uint64_t> registrations_{0};
  std::atomic<uint64_t> copies_{0};
  std::atomic<double> encode_ms_{0};
  std::atomic<unsigned> queue_{0};
};

}  // namespace vitrine
