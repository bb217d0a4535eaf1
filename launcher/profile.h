// SPDX-License-Identifier: LGPL-2.1-or-later
// Profiles: key files that say how to capture and encode (docs/profiles.md). Parsing is pure; what touches files is in profile-files.h.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vitrine {

/// One value of a profile, and where it stands: "FILE:LINE: [group] key", for error messages.
struct ProfileValue {
  std::string key, value, where;
};

/// "@gstreamer=>=1.24": which GStreamer a candidate is for.
struct VersionCondition {
  enum class Operator { at_least, below };
  Operator op = Operator::at_least;
  unsigned major = 1, minor = 0, micro = 0;
};
struct Version {
  unsigned major = 1, minor = 0, micro = 0;
};
bool fits(const std::vector<VersionCondition>& conditions, const Version& version);

/// What an encoder's bound for the size of a frame is counted in: bytes, kilobits, or the milliseconds that its bitrate takes for it.
enum class FrameUnit { bytes, kilobits, milliseconds };

/// A group "[capture NAME]", "[convert NAME]", "[encoder NAME]" or "[payload NAME]": an element and its properties.
struct ProfileElement {
  std::string name;                         // of the group; candidates may be several uses of one element
  std::string factory;                      // @element, or else the name
  std::string codec;                        // of encoders: a name of known_codecs()
  std::vector<ProfileValue> properties;     // in the file's order; values may hold placeholders
  std::optional<ProfileValue> caps;         // @caps: filter after it
  std::optional<ProfileValue> caps_444;     // @caps-444: instead of @caps with --chroma=444
  std::vector<std::string> convert;         // @convert: elements before an encoder, or between a capture and all encoders
  std::vector<std::string> scale;           // @scale: candidates that make a capture's pictures smaller, best first
  std::vector<std::string> payload;         // @payload: elements after an encoder
  std::vector<std::string> check_elements;  // @check-elements: others that must exist
  std::vector<VersionCondition> gstreamer;  // @gstreamer: all of them
  std::optional<ProfileValue> bitrate;      // @bitrate: key is the property, value as written
  double bitrate_factor = 1;                // property's value = kbit/s times this
  std::optional<ProfileValue> frame_size;   // @frame-size: likewise
  FrameUnit frame_unit = FrameUnit::bytes;
  bool keyframe_on_request = true;          // @keyframe
  std::string where;                        // of the group
};

struct Profile {
  std::string path, title;
  std::vector<uint16_t> vendors;                 // PCI ids, one of which a GPU must have; empty: any machine
  std::vector<std::string> codecs;               // best first
  std::string codec;                             // the one that `encoder` is for, at first the best
  std::map<std::string, std::string> settings;   // by option name
  std::vector<ProfileElement> capture, encoder;  // candidates, best first
  std::vector<ProfileElement> all_encoders;      // of every codec
  std::map<std::string, ProfileElement> convert, payload;
  std::string gpu;                               // value of {gpu}, empty when it does not matter
};

/// The same profile for another of its codecs.
Profile with_codec(Profile profile, const std::string& codec);

/// Media types by codec: "H264" is "video/x-h264".
const std::map<std::string, std::string>& known_codecs();
/// PCI ids by the names that profiles may use: "nvidia".
const std::map<std::string, uint16_t>& known_vendors();

/// A file that a profile is made of.
struct ProfileSource {
  std::string path, text;
};
/// Finds what "inherits=NAME" in the file at `from` means: the file, then its drop-ins. Empty, with `error`, if it is not there.
using FindBase = std::function<std::vector<ProfileSource>(const std::string& name, const std::string& from, std::string& error)>;

/// Reads a profile: its file, then drop-ins that change it. Nothing, with `error` naming file, line, group and key and what is allowed, if
/// it is not right.
std::optional<Profile> parse_profile(const std::vector<ProfileSource>& sources, const FindBase& find_base, std::string& error);

/// Replaces {name} in `text`. Nothing, with `error`, for an unknown name.
std::optional<std::string> expand(const std::string& text, const std::map<std::string, std::string>& values, std::string& error);

/// Words with ", " between them.
std::string joined(const std::vector<std::string>& words);

}  // namespace vitrine
