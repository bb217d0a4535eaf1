// SPDX-License-Identifier: LGPL-2.1-or-later
// What encoders are told while they run: rate, size of frames, size of pictures.
#include "keeper.h"
#include "pipeline-builder.h"
#include "report.h"

namespace vitrine {

void Keeper::set_target(const std::string& pad, const StreamTarget& target) {
  Stream* stream = find(pad);
  if (!stream)
    return;
  if (target.scale != stream->target.scale && stream->part && stream->part->can_scale())
    GST_INFO("%s: pictures at %g of the display's width and height", pad.c_str(), target.scale);
  stream->target = target;
  if (stream->part)
    apply_target(*stream, *stream->part, stream->plan().model);
  if (stream->next)
    apply_target(*stream, *stream->next->part, stream->plans[stream->next->candidate].model);
}

void Keeper::set_bitrate(const std::string& pad, unsigned kbit) {
  if (const Stream* stream = find(pad)) {
    StreamTarget target = stream->target;
    target.kbit = kbit;
    set_target(pad, target);
  }
}

void Keeper::apply_target(const Stream& stream, Part& part, const PipelineModel& model) {
  const StreamTarget& target = stream.target;
  const unsigned kbit = target.kbit;
  if (kbit > 0 && !model.bitrate_property.empty() && !vitrine::set_bitrate(part.bin(), model, kbit))
    GST_WARNING("%s: the encoder does not take %u kbit/s", stream.pad.c_str(), kbit);
  if (kbit > 0 && target.frame_bytes > 0 && !model.frame_property.empty() && !set_frame_size(part.bin(), model, target.frame_bytes, kbit))
    GST_WARNING("%s: the encoder does not take frames of %u bytes", stream.pad.c_str(), target.frame_bytes);
  part.set_scale(target.scale);
}

/// A scaler that fails, as one of a GPU may, must not cost the session its encoder: the next one goes without.
bool Keeper::blame_scaler(Stream& stream, EncoderFailure failure) {
  const bool scaler = stream.scales && stream.part && stream.part->can_scale();
  const bool its_time = stream.target.scale < 1 || (stream.working_since_us == 0 && on_gpu(stream.plan().model));
  const bool its_kind = failure == EncoderFailure::error || failure == EncoderFailure::refused || failure == EncoderFailure::driver;
  if (!scaler || !its_time || !its_kind)
    return false;
  GST_WARNING("%s: pictures are not made smaller any more", stream.pad.c_str());
  stream.scales = false;
  return true;
}

}  // namespace vitrine
