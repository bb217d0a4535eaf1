// SPDX-License-Identifier: LGPL-2.1-or-later
// From a stream's wishes to NVENC's parameters. Pure: no driver is asked.
#pragma once

#include <string>

#include "nvenc/nvenc-interface.h"

namespace vitrine {

enum class NvencCodec { kH264, kH265, kAv1 };
enum class NvencProfile { kBaseline, kMain, kHigh, kHigh444 };

struct NvencSettings {
  NvencCodec codec = NvencCodec::kH264;
  NvencProfile profile = NvencProfile::kHigh;  // of H.264; the others' follows the format
  NV_ENC_BUFFER_FORMAT format = NV_ENC_BUFFER_FORMAT_NV12;
  int width = 0;  // pixels
  int height = 0;
  int max_width = 0;  // up to here the size can change without a new session
  int max_height = 0;
  int framerate_n = 60;
  int framerate_d = 1;
  int preset = 3;               // 1 (fastest) to 7
  unsigned bitrate = 8'000'000;  // bit/s
  double vbv_frames = 1.5;      // size of the rate control's buffer, in frames at the bitrate
  bool lossless = false;
  int intra_refresh_period = 0;  // frames per round; 0: none
  int qp_min = -1;               // -1: the driver's choice
  int qp_max = -1;
  bool damage_map = false;  // a QP offset for each block comes with each frame
  bool full_range = false;
  // H.264 table E-3 to E-5; 2: unspecified.
  int primaries = 1;
  int transfer = 1;
  int matrix = 1;
};

GUID nvenc_codec_guid(NvencCodec codec);
/// "H.264"
const char* nvenc_codec_name(NvencCodec codec);
GUID nvenc_preset_guid(int preset);
/// Pixels of a side of the blocks that a QP map has entries for.
int nvenc_map_block(NvencCodec codec);
bool nvenc_is_444(NV_ENC_BUFFER_FORMAT format);
bool nvenc_is_10_bit(NV_ENC_BUFFER_FORMAT format);
/// What no GPU can do, as a sentence; empty when there is nothing.
std::string nvenc_impossible(const NvencSettings& settings);

/// Sets what differs from the preset's configuration.
void nvenc_configure(const NvencSettings& settings, const NvencVersion& version, NV_ENC_CONFIG* config);
/// `config` is what `params` then points at.
NV_ENC_INITIALIZE_PARAMS nvenc_initialize_params(const NvencSettings& settings, const NvencVersion& version,
                                                 NV_ENC_CONFIG* config);
/// True when a session with `now` can be reconfigured to `wanted`; a change of anything but bitrate, framerate and size
/// needs a new one.
bool nvenc_can_reconfigure(const NvencSettings& now, const NvencSettings& wanted);

}  // namespace vitrine
