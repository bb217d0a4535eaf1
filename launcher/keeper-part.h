// SPDX-License-Identifier: LGPL-2.1-or-later
// A part of the pipeline that is thrown away and built anew as a whole, while the rest plays on.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/ref.h"
#include "keeper-limit.h"
#include "keeper-states.h"
#include "picture-scaler.h"
#include "pipeline-model.h"

namespace vitrine {

/// A bin around a chain of elements. What goes wrong inside stays inside: upstream is told that its buffers were taken, whatever became
/// of them, and the end of a stream does not pass. Bound to the main thread but where said otherwise.
class Part {
 public:
  /// Null, with `error`, if an element is missing or does not fit. Pads "sink" and "src" are there if the chain's ends have them.
  static std::unique_ptr<Part> make(const std::string& name, const std::vector<ModelElement>& chain, std::string& error);
  /// As make(), for a source with any number of outlets.
  static std::unique_ptr<Part> make_source(const std::string& name, const std::vector<ModelElement>& chain, std::string& error);
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  GstElement* bin() const { return bin_.get(); }
  /// Whether `object` is in this part.
  bool holds(GstObject* object) const;
  /// Adds it to the pipeline; the bin is then to be started.
  void enter(GstElement* pipeline);
  /// Takes it out of the pipeline and stops it: links are cut at once, whatever its streaming threads do. `done` as of StateChanges::stop.
  void leave(StateChanges& states, std::function<void()> done = {});

  bool link_to(GstElement* to, const char* pad);
  /// From a new outlet of a tee, which goes when we leave.
  bool link_from(GstElement* tee);
  bool link_from(const Part& source) { return link_from(source.tee_.get()); }
  bool linked() const;

  /// What has passed the element named "encoder", wherever pictures were left out before it, and "src".
  EncoderTraffic traffic();
  /// The chain refused a buffer, for instance because formats do not fit.
  bool refused() const { return seen_->refused; }
  /// The stream that came in has ended.
  bool ended() const { return seen_->ended; }
  /// Of the pictures that come out of a source; nothing before the first.
  std::optional<Size> picture_size() const;
  /// Asks the source for a picture and the encoder for a keyframe.
  void ask_for_keyframe();
  /// Pictures of so much of the display's width and height, from the next one on; that is asked for. Nothing where there is no scaler.
  void set_scale(double scale);
  bool can_scale() const { return scaler_ != nullptr; }

 private:
  /// Also used by streaming threads.
  struct Seen {
    std::atomic<bool> closed{false}, refused{false}, ended{false};
    std::atomic<uint64_t> in{0}, out{0};
    std::atomic<int64_t> entered_us{0}, longest_us{0};  // of our sink
    std::atomic<int64_t> encoding_us{0};                 // the newest picture's way into the encoder
  };
  using SeenPtr = std::shared_ptr<Seen>;

  Part() = default;
  bool build(const std::string& name, const std::vector<ModelElement>& chain, std::string& error);
  static void unlink(GstPad* pad);
  bool add_ghost(GstElement* element, const char* pad);
  void guard_sink();
  void count_src();
  void watch_encoder();
  Ref<GstPad> pad(const char* name) const { return Ref<GstPad>::adopt(gst_element_get_static_pad(bin_.get(), name)); }
  static GstFlowReturn on_buffer(GstPad* pad, GstObject* parent, GstBuffer* buffer);

  Ref<GstElement> bin_;
  std::unique_ptr<PictureScaler> scaler_;
  double scale_ = 1;
  Ref<GstElement> tee_;        // beside the bin: the outlets of a source
  Ref<GstElement> queue_;      // in the bin: the encoder has a thread of its own
  Ref<GstElement> feeding_;    // the tee whose outlet we have
  Ref<GstPad> outlet_;
  SeenPtr seen_ = std::make_shared<Seen>();
};

}  // namespace vitrine
