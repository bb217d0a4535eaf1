// SPDX-License-Identifier: LGPL-2.1-or-later
// What an H.264 stream promises to decoders, by its sequence parameter set (ITU-T H.264 7.3.2.1 and E.1.1). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace vitrine {

struct SequenceParameters {
  unsigned profile_idc = 0, level_idc = 0;
  unsigned pic_order_cnt_type = 0, max_num_ref_frames = 0;
  bool bitstream_restriction = false;
  unsigned max_num_reorder_frames = 0, max_dec_frame_buffering = 0;
};

struct H264Unit {
  std::optional<SequenceParameters> sps;
  bool pps = false, idr = false;
};

/// Looks into an access unit in byte-stream format. Whatever the bytes are, nothing beyond them is read.
H264Unit look_into_h264(std::span<const uint8_t> unit);

/// Why a decoder may hold pictures back before it shows them; empty if it need not.
std::string low_latency_problem(const SequenceParameters& sps);

}  // namespace vitrine
