// SPDX-License-Identifier: LGPL-2.1-or-later
// Keeps the pictures coming: source, encoders and input are parts that are rebuilt when they fail; the server and its viewers stay.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/ref.h"
#include "keeper-limit.h"
#include "keeper-part.h"
#include "keeper-plans.h"
#include "keeper-states.h"

namespace vitrine {

/// Topics of notices to viewers.
constexpr char kTopicEncoder[] = "encoder";

/// What went wrong with an encoder, for logs.
enum class EncoderFailure { error, driver, refused, hung, stalled };

/// What an encoder is to make of its pictures.
struct StreamTarget {
  unsigned kbit = 0;         // per second; 0: as the profile says
  unsigned frame_bytes = 0;  // of one access unit at most; 0: likewise
  double scale = 1;          // of the display's width and height
};

/// ```
///   source ─► outlets ─┬─► encode 0 ─► server.video_0      capture and the first encoder share a thread
///                      └─► queue, encode 1 ─► video_1      while somebody is there who cannot decode the first
///   server.control_src ─► tee "control" ─┬► input
///                                        ├► desktop ──► funnel "words" ─► server.control_sink
///                                        └► gamepads ─┘
/// ```
/// Bound to the main thread.
class Keeper {
 public:
  struct Host {
    /// Shows viewers a text until another one on that topic comes; an empty one takes it away.
    std::function<void(const char* topic, const char* text)> tell;
    /// Nothing is left to try.
    std::function<void(const std::string& why)> give_up;
    /// The source and the input run, or could not be started: what was posted on the bus says why.
    std::function<void(bool good)> display_result;
  };
  static constexpr char kMainPad[] = "video_0";
  enum class Owner { none, encoder, display, server };

  /// To be made before the server starts.
  Keeper(GstElement* pipeline, StateChanges& states, Host host);
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  /// Starts the first stream with the best of `plans`, then source and input. `others` serve viewers that cannot decode it.
  void start(std::vector<VideoPlan> plans, std::vector<VideoPlan> others);
  /// Other plans for the first stream: goes over to the best of them, while the present one works on until that runs.
  void change_plans(std::vector<VideoPlan> plans, std::vector<VideoPlan> others);
  /// What the first stream uses.
  const VideoPlan& main_plan() const { return streams_.front()->plan(); }
  /// Whose message this is; none if it comes from a part that has been replaced.
  Owner owner(GstObject* source) const;
  /// An error of an encoder. What has to be done is done.
  void encoder_error(GstMessage* message);

  /// The display is lost: source and input go.
  void display_gone();
  /// The display is there (again), by this name: source and input come. Host::display_result tells.
  void display_here(const std::string& display);

  /// For the encoder of the stream on this pad of the server, also for those that take over from it.
  void set_target(const std::string& pad, const StreamTarget& target);
  /// The rate alone, in kbit/s.
  void set_bitrate(const std::string& pad, unsigned kbit);

  /// From now on no encoder is asked for more; how much of it, the server says.
  void set_most_bitrate(unsigned kbit);

  /// A viewer waits for a stream of one of these codecs.
  void add_stream(const std::vector<std::string>& codecs);
  /// So many viewers use the stream on this pad of the server. One without any goes after a while.
  void stream_used(const std::string& pad, unsigned users);

 private:
  /// Made beside what works, to take over from it.
  struct Next {
    size_t candidate = 0;
    int64_t began_us = 0;
    std::unique_ptr<Part> part, source;  // no source: the present one stays
    std::vector<ModelElement> source_chain;
    int missing = 0;  // of the two, what does not run yet
  };
  struct Stream {
    Stream(std::string pad_name, std::vector<VideoPlan> all);
    const VideoPlan& plan() const { return plans[current]; }
    bool main() const { return pad == kMainPad; }

    const std::string pad;  // of the server
    std::vector<VideoPlan> plans;
    CandidateChoice choice;
    RestartLimit limit;
    EncoderWatch watch;
    size_t current = 0;
    std::unique_ptr<Part> part;
    std::unique_ptr<Next> next;
    bool runs = false;              // its encoder is in PLAYING
    bool told = false;              // viewers know that it is being restarted
    int64_t began_us = 0;           // the start of this encoder
    int64_t failed_us = 0;          // the failure that led to it, 0 at first
    int64_t working_since_us = 0;   // its first access unit
    StreamTarget target;
    bool scales = true;                // false once its scaler has failed
    guint waiting = 0, lingering = 0;  // timers
  };
  using StreamPtr = std::unique_ptr<Stream>;

  void tick();
  void look_at(Stream& stream, int64_t now_us);
  void bring_up(Stream& stream);
  void started(Stream& stream, bool good);
  void join(Stream& stream);
  void fail(Stream& stream, EncoderFailure failure, const std::string& what);
  void take_down(Stream& stream);
  void remove(Stream& stream);
  std::unique_ptr<Part> make_encoder(const Stream& stream, const PipelineModel& model, std::string& error);
  std::unique_ptr<Part> make_source(const std::vector<ModelElement>& chain, std::string& error);
  void go_over(Stream& stream, size_t candidate);
  void next_started(Stream& stream, bool good);
  void take_over(Stream& stream);
  void drop_next(Stream& stream, const std::string& why);
  void bring_up_display();
  void bring_up_desktop();
  void bring_up_source();
  void bring_up_input();
  void take_down_source();
  void take_down_display();
  void apply_target(const Stream& stream, Part& part, const PipelineModel& model);
  bool blame_scaler(Stream& stream, EncoderFailure failure);
  Stream* find(const Part* part);
  Stream* find(const std::string& pad);
  bool build_failed(Stream& stream, const std::string& error);
  GstElement* server() const { return server_.get(); }
  guint after(int64_t delay_us, std::function<void()> run);

  GstElement* const pipeline_;
  const Ref<GstElement> server_, control_;
  StateChanges& states_;
  const Host host_;
  std::vector<VideoPlan> others_;
  std::vector<StreamPtr> streams_;
  std::unique_ptr<Part> source_, input_, desktop_;
  std::vector<ModelElement> source_chain_;
  std::string display_;
  std::optional<Size> size_;  // of the display, from the last source
  bool display_wanted_ = true;
  bool desktop_runs_ = false;
  int desktops_leaving_ = 0;
  int made_ = 0;  // parts: each has a name of its own
  guint tick_ = 0;
};

}  // namespace vitrine
