// SPDX-License-Identifier: LGPL-2.1-or-later
// What NVENC's interface 12.0 has beyond 11.1 of Debian 12's headers: AV1. Declared from the facts of NVIDIA's public
// interface; layouts are checked below against its documented sizes.
#pragma once

#include <cuda.h>
#include <ffnvcodec/nvEncodeAPI.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace vitrine {

/// A version of NVENC's interface. Each structure carries it, beside a number of its own.
struct NvencVersion {
  unsigned major;
  unsigned minor;

  uint32_t api() const { return major | minor << 24; }
  /// `extended`: structures whose top bit is set too.
  uint32_t structure(unsigned number, bool extended = false) const {
    return api() | number << 16 | 7u << 28 | (extended ? 1u << 31 : 0);
  }
  bool has_av1() const { return major >= 12; }

  uint32_t open() const { return structure(1); }
  uint32_t caps() const { return structure(1); }
  uint32_t config() const { return structure(has_av1() ? 8 : 7, true); }
  uint32_t preset_config() const { return structure(4, true); }
  uint32_t initialize() const { return structure(5, true); }
  uint32_t reconfigure() const { return structure(1, true); }
  uint32_t bitstream() const { return structure(1); }
  uint32_t register_resource() const { return structure(has_av1() ? 4 : 3); }
  uint32_t map_input() const { return structure(4); }
  uint32_t picture() const { return structure(has_av1() ? 6 : 4, true); }
  uint32_t lock_bitstream() const { return structure(has_av1() ? 2 : 1); }
  uint32_t function_list() const { return structure(2); }
};

/// H.264 and H.265, since driver 470.
inline constexpr NvencVersion kNvenc111{11, 1};
/// AV1 too, since driver 525.
inline constexpr NvencVersion kNvenc120{12, 0};

inline constexpr GUID kNvencAv1Guid = {0x0a352289, 0x0aa7, 0x4759, {0x86, 0x2d, 0x5d, 0x15, 0xcd, 0x16, 0xd2, 0x54}};
inline constexpr GUID kNvencAv1MainProfileGuid = {
    0x5f2a39f5, 0xf14e, 0x4f95, {0x9a, 0x9e, 0xb7, 0x6d, 0x56, 0x8f, 0xcf, 0x97}};

/// NV_ENC_CONFIG_AV1, a member of the union NV_ENC_CODEC_CONFIG.
struct NvencConfigAv1 {
  uint32_t level;
  uint32_t tier;
  uint32_t min_part_size;
  uint32_t max_part_size;
  uint32_t output_annex_b : 1;
  uint32_t enable_timing_info : 1;
  uint32_t enable_decoder_model_info : 1;
  uint32_t enable_frame_id_numbers : 1;
  uint32_t disable_sequence_header : 1;
  uint32_t repeat_sequence_header : 1;  // with every keyframe
  uint32_t enable_intra_refresh : 1;
  uint32_t chroma_format_idc : 2;  // 1: 4:2:0, and nothing else
  uint32_t enable_padding : 1;
  uint32_t enable_custom_tiles : 1;
  uint32_t enable_film_grain : 1;
  uint32_t input_bit_depth_minus_8 : 3;
  uint32_t bit_depth_minus_8 : 3;
  uint32_t reserved : 14;
  uint32_t idr_period;
  uint32_t intra_refresh_period;
  uint32_t intra_refresh_count;
  uint32_t max_references;
  uint32_t tile_columns;
  uint32_t tile_rows;
  uint32_t* tile_widths;
  uint32_t* tile_heights;
  uint32_t max_temporal_layers_minus_1;
  uint32_t primaries;  // the three as in ITU-T H.273
  uint32_t transfer;
  uint32_t matrix;
  uint32_t full_range;
  uint32_t chroma_position;  // 0: not told
  uint32_t b_frames_as_references;
  void* film_grain;
  uint32_t forward_references;
  uint32_t backward_references;
  uint32_t reserved1[235];
  void* reserved2[62];
};
static_assert(sizeof(NvencConfigAv1) == 1552 && sizeof(NvencConfigAv1) <= sizeof(NV_ENC_CODEC_CONFIG));
static_assert(offsetof(NvencConfigAv1, idr_period) == 20 && offsetof(NvencConfigAv1, tile_widths) == 48 &&
              offsetof(NvencConfigAv1, primaries) == 68 && offsetof(NvencConfigAv1, film_grain) == 96);
static_assert(sizeof(NV_ENC_CONFIG) == 3584 && sizeof(NV_ENC_REGISTER_RESOURCE) == 1536);
// Newer headers (12.1 in Debian 13) have more at its end.
static_assert(sizeof(NV_ENC_LOCK_BITSTREAM) >= 1544 && offsetof(NV_ENC_LOCK_BITSTREAM, bitstreamBufferPtr) == 56 &&
              offsetof(NV_ENC_LOCK_BITSTREAM, pictureType) == 64);

/// NV_ENC_PIC_PARAMS of one version: these differ in the size of the codecs' parameters in its middle, 1536 bytes until
/// 11.1 and 1552 since 12.0, whatever the headers have.
template <size_t kCodecBytes>
struct NvencPicture {
  static constexpr size_t kCodecOffset = offsetof(NV_ENC_PIC_PARAMS, codecPicParams);
  static constexpr size_t kTailOffset = kCodecOffset + sizeof(NV_ENC_CODEC_PIC_PARAMS);
  static_assert(kCodecOffset == 80 && sizeof(NV_ENC_PIC_PARAMS) - kTailOffset == 1728);
  static_assert(offsetof(NV_ENC_PIC_PARAMS, qpDeltaMap) - kTailOffset == 80);

  alignas(8) uint8_t head[kCodecOffset];
  uint8_t codec[kCodecBytes];
  uint8_t tail[sizeof(NV_ENC_PIC_PARAMS) - kTailOffset];

  /// Without parameters of a codec: we set none.
  explicit NvencPicture(const NV_ENC_PIC_PARAMS& from) : codec{} {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&from);
    std::memcpy(head, bytes, sizeof head);
    std::memcpy(tail, bytes + kTailOffset, sizeof tail);
  }
  NV_ENC_PIC_PARAMS* params() { return reinterpret_cast<NV_ENC_PIC_PARAMS*>(this); }
};
using NvencPicture111 = NvencPicture<1536>;
using NvencPicture120 = NvencPicture<1552>;
static_assert(sizeof(NvencPicture111) == 3344 && sizeof(NvencPicture120) == 3360);

}  // namespace vitrine
