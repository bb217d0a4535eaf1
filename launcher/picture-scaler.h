// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes the pictures of a chain smaller and larger while it runs, by the filter behind its scaler.
#pragma once

#include <gst/gst.h>

#include <memory>

namespace vitrine {

class PictureScaler {
 public:
  /// Null if the chain in `bin` has no elements kScaler and kScaled.
  static std::unique_ptr<PictureScaler> find(GstBin* bin);

  /// From the next picture on its width and height are so much of the display's. Takes effect on the streaming thread, between two
  /// pictures, so that none meets a filter that is not for it. Thread-safe.
  void set(double scale);

 private:
  struct State;
  explicit PictureScaler(std::shared_ptr<State> state) : state_(std::move(state)) {}

  const std::shared_ptr<State> state_;
};

}  // namespace vitrine
