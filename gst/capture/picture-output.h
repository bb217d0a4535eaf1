// SPDX-License-Identifier: LGPL-2.1-or-later
// Between the capture core's pictures and GStreamer's caps and buffers.
#pragma once

#include <gst/video/video.h>

#include <chrono>
#include <memory>
#include <optional>

#include "capture/damage-grid.h"
#include "capture/frame-store.h"
#include "capture/picture-layout.h"
#include "common/ref.h"

namespace vitrine {

VITRINE_REF_TRAITS(GstMemory, gst_memory_ref, gst_memory_unref);

struct OutputFormat {
  PixelFormat format;
  ColorMatrix matrix;
};

/// All that can be made, preferred first; `size` empty: any size.
Ref<GstCaps> output_caps(Size size);
/// Nothing when `info` is none of output_caps().
std::optional<OutputFormat> output_format(const GstVideoInfo& info);

/// Memory that shows `frame` and keeps it. Read-only: who wants to write into it gets a copy from GStreamer.
Ref<GstMemory> wrap_frame(std::shared_ptr<const Frame> frame);
/// A buffer on `memory` with its planes described. A few regions of interest of type "damage" tell where it
/// differs from the one before; `captured_at` goes into a reference timestamp meta.
Ref<GstBuffer> make_buffer(GstMemory* memory, const PictureLayout& layout, const DamageGrid* damage,
                           std::chrono::steady_clock::time_point captured_at);

}  // namespace vitrine
