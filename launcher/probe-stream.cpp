// SPDX-License-Identifier: LGPL-2.1-or-later
// NAL units, and the bits of a sequence parameter set.
#include "probe-stream.h"

#include <vector>

#include "text.h"

namespace vitrine {
namespace {

/// Bits of a NAL unit without its emulation prevention bytes. Past the end there are zeros, and good() says so.
class Bits {
 public:
  explicit Bits(std::span<const uint8_t> nal) {
    for (size_t i = 0; i < nal.size(); ++i)
      if (!(i >= 2 && nal[i] == 3 && nal[i - 1] == 0 && nal[i - 2] == 0))
        bytes_.push_back(nal[i]);
  }
  unsigned bit() {
    if (at_ >= bytes_.size() * 8) {
      good_ = false;
      return 0;
    }
    const unsigned value = bytes_[at_ / 8] >> (7 - at_ % 8) & 1;
    ++at_;
    return value;
  }
  unsigned bits(unsigned count) {
    unsigned value = 0;
    while (count-- > 0)
      value = value << 1 | bit();
    return value;
  }
  /// ue(v), 9.1.
  unsigned exp() {
    unsigned zeros = 0;
    while (good_ && zeros < 32 && !bit())
      ++zeros;
    if (zeros >= 32)
      good_ = false;
    return good_ ? (1U << zeros) - 1 + bits(zeros) : 0;
  }
  void skip_exp(unsigned count) {
    while (count-- > 0 && good_)
      exp();
  }
  bool good() const { return good_; }

 private:
  std::vector<uint8_t> bytes_;
  size_t at_ = 0;
  bool good_ = true;
};

bool has_chroma_fields(unsigned profile) {
  for (const unsigned one : {100U, 110U, 122U, 244U, 44U, 83U, 86U, 118U, 128U, 138U, 139U, 134U, 135U})
    if (profile == one)
      return true;
  return false;
}

void skip_scaling_list(Bits& in, unsigned size) {
  int last = 8, next = 8;
  for (unsigned i = 0; i < size && in.good(); ++i) {
    if (next != 0) {
      const unsigned code = in.exp();
      const int delta = code % 2 ? static_cast<int>((code + 1) / 2 % 256) : -static_cast<int>(code / 2 % 256);
      next = (last + delta + 256) % 256;
    }
    last = next == 0 ? last : next;
  }
}

void skip_chroma_fields(Bits& in) {
  const unsigned chroma_format = in.exp();
  if (chroma_format == 3)
    in.bit();
  in.skip_exp(2);
  in.bit();
  if (in.bit())
    for (unsigned i = 0; i < (chroma_format == 3 ? 12U : 8U); ++i)
      if (in.bit())
        skip_scaling_list(in, i < 6 ? 16 : 64);
}

void skip_hrd(Bits& in) {
  const unsigned count = in.exp() + 1;
  in.bits(8);
  for (unsigned i = 0; i < count && i < 32 && in.good(); ++i) {
    in.skip_exp(2);
    in.bit();
  }
  in.bits(20);
}

void read_vui(Bits& in, SequenceParameters& sps) {
  if (in.bit() && in.bits(8) == 255)  // aspect ratio, extended
    in.bits(32);
  if (in.bit())  // overscan
    in.bit();
  if (in.bit()) {  // video signal type
    in.bits(4);
    if (in.bit())
      in.bits(24);
  }
  if (in.bit())  // chroma location
    in.skip_exp(2);
  if (in.bit()) {  // timing
    in.bits(32);
    in.bits(32);
    in.bit();
  }
  const bool nal_hrd = in.bit();
  if (nal_hrd)
    skip_hrd(in);
  const bool vcl_hrd = in.bit();
  if (vcl_hrd)
    skip_hrd(in);
  if (nal_hrd || vcl_hrd)
    in.bit();
  in.bit();  // pic_struct
  sps.bitstream_restriction = in.bit();
  if (sps.bitstream_restriction) {
    in.bit();
    in.skip_exp(4);
    sps.max_num_reorder_frames = in.exp();
    sps.max_dec_frame_buffering = in.exp();
  }
}

std::optional<SequenceParameters> read_sps(std::span<const uint8_t> nal) {
  Bits in(nal);
  SequenceParameters sps;
  in.bits(8);
  sps.profile_idc = in.bits(8);
  in.bits(8);
  sps.level_idc = in.bits(8);
  in.exp();
  if (has_chroma_fields(sps.profile_idc))
    skip_chroma_fields(in);
  in.exp();
  sps.pic_order_cnt_type = in.exp();
  if (sps.pic_order_cnt_type == 0) {
    in.exp();
  } else if (sps.pic_order_cnt_type == 1) {
    in.bit();
    in.skip_exp(2);
    in.skip_exp(in.exp());
  }
  sps.max_num_ref_frames = in.exp();
  in.bit();
  in.skip_exp(2);
  if (!in.bit())
    in.bit();
  in.bit();
  if (in.bit())
    in.skip_exp(4);
  if (in.bit())
    read_vui(in, sps);
  return in.good() ? std::optional(sps) : std::nullopt;
}

}  // namespace

H264Unit look_into_h264(std::span<const uint8_t> unit) {
  H264Unit found;
  const auto start_at = [&](size_t from) {
    for (size_t i = from; i + 3 < unit.size(); ++i)
      if (unit[i] == 0 && unit[i + 1] == 0 && unit[i + 2] == 1)
        return i;
    return unit.size();
  };
  for (size_t start = start_at(0); start < unit.size();) {
    const size_t begin = start + 3, next = start_at(begin);
    const auto nal = unit.subspan(begin, next - begin);
    const unsigned type = nal.empty() ? 0 : nal[0] & 0x1f;
    if (type == 7 && !found.sps)
      found.sps = read_sps(nal);
    found.pps = found.pps || type == 8;
    found.idr = found.idr || type == 5;
    start = next;
  }
  return found;
}

std::string low_latency_problem(const SequenceParameters& sps) {
  // With type 2 the order of output is that of decoding (8.2.1.3).
  if (sps.pic_order_cnt_type == 2)
    return "";
  if (!sps.bitstream_restriction)
    return _("the SPS has no bitstream_restriction, so decoders may hold pictures back");
  if (sps.max_num_reorder_frames > 0)
    return _("the SPS announces reordered pictures: max_num_reorder_frames is") + (" " + std::to_string(sps.max_num_reorder_frames));
  return sps.max_dec_frame_buffering > sps.max_num_ref_frames
             ? _("the SPS lets decoders hold pictures: max_dec_frame_buffering is") + (" " + std::to_string(sps.max_dec_frame_buffering))
             : "";
}

}  // namespace vitrine
