// SPDX-License-Identifier: LGPL-2.1-or-later
// From groups and keys to a profile; every mistake is told with its place and what is allowed.
#include "profile.h"

#include <glib.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "profile-layers.h"
#include "settings.h"
#include "text.h"

namespace vitrine {
namespace {

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

template <class Map>
std::vector<std::string> names_of(const Map& map) {
  std::vector<std::string> names;
  for (const auto& [name, value] : map)
    names.push_back(name);
  return names;
}

const std::vector<std::string> kProfileKeys = {"format", "title", "inherits", "vendor", "codec", "capture", "encoder"};
const std::vector<std::string> kSettings = {"framerate", "bitrate"};
/// What values may hold in braces, with samples of what they become.
const std::map<std::string, std::string> kPlaceholders = {
    {"display", ":0"}, {"framerate", "60"}, {"bitrate", "8000"}, {"threads", "1"}, {"gpu", "0"}};
/// Keys of elements that are no properties, by kind of group.
const std::map<std::string, std::vector<std::string>> kElementKeys = {
    {"capture", {"@element", "@gstreamer", "@check-elements", "@caps", "@caps-444", "@convert", "@scale"}},
    {"convert", {"@element", "@caps"}},
    {"encoder",
     {"@element", "@gstreamer", "@check-elements", "@caps", "@caps-444", "@codec", "@convert", "@payload", "@bitrate", "@frame-size",
      "@keyframe"}},
    {"payload", {"@element", "@caps"}},
};

/// Reads the layers; the first problem stays in `error`.
class Reader {
 public:
  Reader(const ProfileLayers& layers, std::string& error) : layers_(layers), error_(error) {}
  std::optional<Profile> read();

 private:
  bool good() const { return error_.empty(); }
  void fail(const std::string& group, const std::string& key, const std::string& what) {
    if (good())
      error_ = layers_.where(group, key) + ": " + what;
  }
  void unknown_key(const std::string& group, const std::string& key, const std::vector<std::string>& known) {
    fail(group, key, std::string(_("unknown key; known are")) + " " + joined(known));
  }
  std::string text(const std::string& group, const std::string& key) {
    if (!layers_.has(group, key))
      fail(group, key, _("is missing"));
    return layers_.text(group, key);
  }
  std::vector<std::string> list(const std::string& group, const std::string& key) {
    text(group, key);
    const auto words = layers_.list(group, key);
    if (words.empty())
      fail(group, key, _("is empty"));
    std::set<std::string> seen;
    for (const auto& word : words)
      if (!seen.insert(word).second)
        fail(group, key, "'" + word + "' " + _("is named twice"));
    return words;
  }
  ProfileValue expandable(const std::string& group, const std::string& key);
  void read_head(Profile& profile);
  void read_vendors(Profile& profile);
  void read_settings(Profile& profile);
  ProfileElement read_element(const std::string& kind, const std::string& name);
  void read_at_key(const std::string& group, const std::string& key, ProfileElement& element);
  void read_bitrate(const std::string& group, ProfileElement& element);
  void read_frame_size(const std::string& group, ProfileElement& element);
  void read_conditions(const std::string& group, ProfileElement& element);
  std::vector<ProfileElement> read_candidates(const std::string& kind);
  void read_chain(const std::string& kind, const std::vector<std::string>& names, std::map<std::string, ProfileElement>& chain);
  void find_codec(const Profile& profile, ProfileElement& candidate);
  void check_unused();

  const ProfileLayers& layers_;
  std::string& error_;
  std::set<std::string> used_;
};

ProfileValue Reader::expandable(const std::string& group, const std::string& key) {
  ProfileValue made{key, text(group, key), layers_.where(group, key)};
  std::string problem;
  if (good() && !expand(made.value, kPlaceholders, problem))
    fail(group, key, problem + "; " + _("known are") + " {" + joined(names_of(kPlaceholders)) + "}");
  return made;
}

void Reader::read_head(Profile& profile) {
  used_.insert("profile");
  for (const auto& key : layers_.keys("profile"))
    if (!contains(kProfileKeys, key))
      unknown_key("profile", key, kProfileKeys);
  profile.title = text("profile", "title");
  profile.codecs = list("profile", "codec");
  for (const auto& codec : profile.codecs)
    if (!known_codecs().contains(codec))
      fail("profile", "codec", "'" + codec + "' " + _("is none of") + " " + joined(names_of(known_codecs())));
  if (layers_.has("profile", "vendor"))
    read_vendors(profile);
}

void Reader::read_vendors(Profile& profile) {
  for (const auto& word : list("profile", "vendor")) {
    const auto known = known_vendors().find(word);
    char* end = nullptr;
    const unsigned long number = g_ascii_strtoull(word.c_str(), &end, 16);
    if (known != known_vendors().end())
      profile.vendors.push_back(known->second);
    else if (word.starts_with("0x") && word.size() == 6 && !*end)
      profile.vendors.push_back(static_cast<uint16_t>(number));
    else
      fail("profile", "vendor",
           "'" + word + "' " + _("is none of") + " " + joined(names_of(known_vendors())) + ", " + _("nor a PCI id like") + " 0x10de");
  }
}

void Reader::read_settings(Profile& profile) {
  used_.insert("settings");
  for (const auto& key : layers_.keys("settings")) {
    if (!contains(kSettings, key)) {
      unknown_key("settings", key, kSettings);
      return;
    }
    const std::string value = text("settings", key), problem = value_problem(*find_option(key), value);
    if (!problem.empty())
      fail("settings", key, problem);
    profile.settings[key] = value;
  }
}

ProfileElement Reader::read_element(const std::string& kind, const std::string& name) {
  const std::string group = kind + " " + name;
  ProfileElement element;
  element.name = element.factory = name;
  element.where = layers_.where(group, "");
  used_.insert(group);
  const auto& known = kElementKeys.at(kind);
  for (const auto& key : layers_.keys(group)) {
    if (!key.starts_with("@"))
      element.properties.push_back(expandable(group, key));
    else if (contains(known, key))
      read_at_key(group, key, element);
    else
      unknown_key(group, key, known);
  }
  return element;
}

void Reader::read_at_key(const std::string& group, const std::string& key, ProfileElement& element) {
  if (key == "@element") {
    element.factory = text(group, key);
  } else if (key == "@gstreamer") {
    read_conditions(group, element);
  } else if (key == "@check-elements") {
    element.check_elements = list(group, key);
  } else if (key == "@caps") {
    element.caps = expandable(group, key);
  } else if (key == "@caps-444") {
    element.caps_444 = expandable(group, key);
  } else if (key == "@codec") {
    element.codec = text(group, key);
  } else if (key == "@convert") {
    element.convert = list(group, key);
  } else if (key == "@scale") {
    element.scale = list(group, key);
  } else if (key == "@payload") {
    element.payload = list(group, key);
  } else if (key == "@bitrate") {
    read_bitrate(group, element);
  } else if (key == "@frame-size") {
    read_frame_size(group, element);
  } else if (key == "@keyframe") {
    const std::string value = text(group, key);
    element.keyframe_on_request = value == "event";
    if (value != "event" && value != "none")
      fail(group, key, "'" + value + "' " + _("is none of") + " event, none");
  }
}

void Reader::read_bitrate(const std::string& group, ProfileElement& element) {
  const std::string value = text(group, "@bitrate");
  const size_t star = value.find('*');
  char* end = nullptr;
  const double factor = star == std::string::npos ? 0 : g_ascii_strtod(value.c_str() + star + 1, &end);
  if (star == std::string::npos || star == 0 || *end || !(factor > 0) || factor > 1e6)
    fail(group, "@bitrate", "'" + value + "' " + _("is not of the form property*factor"));
  element.bitrate = ProfileValue{value.substr(0, star), value, layers_.where(group, "@bitrate")};
  element.bitrate_factor = factor;
}

void Reader::read_frame_size(const std::string& group, ProfileElement& element) {
  static const std::map<std::string, FrameUnit> units = {
      {"byte", FrameUnit::bytes}, {"kbit", FrameUnit::kilobits}, {"ms", FrameUnit::milliseconds}};
  const std::string value = text(group, "@frame-size");
  const size_t star = value.find('*');
  const auto unit = star == std::string::npos || star == 0 ? units.end() : units.find(value.substr(star + 1));
  if (unit == units.end()) {
    fail(group, "@frame-size", "'" + value + "' " + _("is not of the form property*unit; units are") + " " + joined(names_of(units)));
    return;
  }
  element.frame_size = ProfileValue{value.substr(0, star), value, layers_.where(group, "@frame-size")};
  element.frame_unit = unit->second;
}

void Reader::read_conditions(const std::string& group, ProfileElement& element) {
  for (const auto& word : list(group, "@gstreamer")) {
    VersionCondition condition;
    const bool at_least = word.starts_with(">=");
    condition.op = at_least ? VersionCondition::Operator::at_least : VersionCondition::Operator::below;
    unsigned* const parts[] = {&condition.major, &condition.minor, &condition.micro};
    const char* at = word.c_str() + (at_least ? 2 : 1);
    bool fine = at_least || word.starts_with("<");
    size_t count = 0;
    while (fine && count < 3 && g_ascii_isdigit(*at)) {
      char* end = nullptr;
      *parts[count++] = static_cast<unsigned>(g_ascii_strtoull(at, &end, 10));
      at = end;
      if (*at == '.')
        ++at;
    }
    if (!fine || count < 2 || *at || word.ends_with("."))
      fail(group, "@gstreamer", "'" + word + "' " + _("is no condition like") + " >=1.24 " + _("or") + " <1.26");
    element.gstreamer.push_back(condition);
  }
}

std::vector<ProfileElement> Reader::read_candidates(const std::string& kind) {
  std::vector<ProfileElement> candidates;
  for (const auto& name : list("profile", kind)) {
    if (good() && !layers_.has_group(kind + " " + name))
      fail("profile", kind, "'" + name + "' " + _("has no group") + " [" + kind + " " + name + "]");
    if (good())
      candidates.push_back(read_element(kind, name));
  }
  return candidates;
}

void Reader::read_chain(const std::string& kind, const std::vector<std::string>& names, std::map<std::string, ProfileElement>& chain) {
  // One without settings needs no group.
  for (const auto& name : names)
    if (!chain.contains(name))
      chain[name] = read_element(kind, name);
}

void Reader::find_codec(const Profile& profile, ProfileElement& candidate) {
  const std::string group = "encoder " + candidate.name;
  const auto media_of = [](const std::optional<ProfileValue>& caps) {
    return caps ? caps->value.substr(0, caps->value.find_first_of(", (")) : "";
  };
  const std::string media = media_of(candidate.caps);
  if (candidate.codec.empty()) {
    for (const auto& [codec, type] : known_codecs())
      if (type == media)
        candidate.codec = codec;
    if (candidate.codec.empty() && candidate.caps)
      fail(group, "@caps", std::string(_("must begin with the media type of a codec, such as")) + " " + known_codecs().at(profile.codecs[0]));
    else if (candidate.codec.empty() && profile.codecs.size() > 1)
      fail(group, "@codec", std::string(_("is missing; of the profile's codecs it can be")) + " " + joined(profile.codecs));
    else if (candidate.codec.empty())
      candidate.codec = profile.codecs[0];
  }
  const std::string key = layers_.has(group, "@codec") ? "@codec" : "@caps";
  if (good() && !contains(profile.codecs, candidate.codec))
    fail(group, key, "'" + candidate.codec + "' " + _("is none of the profile's codecs,") + " " + joined(profile.codecs));
  for (const auto& [caps_key, caps] : {std::pair{"@caps", &candidate.caps}, {"@caps-444", &candidate.caps_444}})
    if (good() && *caps && known_codecs().at(candidate.codec) != media_of(*caps))
      fail(group, caps_key, std::string(_("must begin with")) + " " + known_codecs().at(candidate.codec) + ", " + _("as @codec says"));
}

void Reader::check_unused() {
  for (const auto& group : layers_.own_groups())
    if (!used_.contains(group))
      fail(group, "", _("nothing refers to this group"));
}

std::optional<Profile> Reader::read() {
  Profile profile;
  profile.path = layers_.path();
  if (good())
    read_head(profile);
  if (good())
    read_settings(profile);
  if (good())
    profile.capture = read_candidates("capture");
  if (good())
    profile.all_encoders = read_candidates("encoder");
  for (auto& candidate : profile.all_encoders)
    if (good())
      find_codec(profile, candidate);
  for (const auto* candidates : {&profile.capture, &profile.all_encoders})
    for (const auto& candidate : *candidates) {
      read_chain("convert", candidate.convert, profile.convert);
      read_chain("convert", candidate.scale, profile.convert);
      read_chain("payload", candidate.payload, profile.payload);
    }
  for (const auto& codec : profile.codecs)
    if (good() && std::none_of(profile.all_encoders.begin(), profile.all_encoders.end(), [&](const auto& e) { return e.codec == codec; }))
      fail("profile", "codec", "'" + codec + "' " + _("has no encoder"));
  if (good())
    check_unused();
  if (!good())
    return std::nullopt;
  const std::string best = profile.codecs[0];
  return with_codec(std::move(profile), best);
}

}  // namespace

bool fits(const std::vector<VersionCondition>& conditions, const Version& version) {
  const auto number = [](const auto& v) { return std::tuple(v.major, v.minor, v.micro); };
  return std::all_of(conditions.begin(), conditions.end(), [&](const VersionCondition& condition) {
    const bool below = number(version) < number(condition);
    return condition.op == VersionCondition::Operator::below ? below : !below;
  });
}

Profile with_codec(Profile profile, const std::string& codec) {
  profile.codec = codec;
  profile.encoder.clear();
  for (const auto& candidate : profile.all_encoders)
    if (candidate.codec == codec)
      profile.encoder.push_back(candidate);
  return profile;
}

const std::map<std::string, std::string>& known_codecs() {
  static const std::map<std::string, std::string> codecs = {{"H264", "video/x-h264"},
                                                            {"H265", "video/x-h265"},
                                                            {"VP8", "video/x-vp8"},
                                                            {"VP9", "video/x-vp9"},
                                                            {"AV1", "video/x-av1"}};
  return codecs;
}

const std::map<std::string, uint16_t>& known_vendors() {
  // https://pcisig.com/membership/member-companies
  static const std::map<std::string, uint16_t> vendors = {{"amd", 0x1002}, {"intel", 0x8086}, {"nvidia", 0x10de}};
  return vendors;
}

std::optional<Profile> parse_profile(const std::vector<ProfileSource>& sources, const FindBase& find_base, std::string& error) {
  const ProfileLayers layers(sources, find_base, error);
  return Reader(layers, error).read();
}

std::optional<std::string> expand(const std::string& text, const std::map<std::string, std::string>& values, std::string& error) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text[at] == '{' ? text.find('}', at) : std::string::npos;
    if (end == std::string::npos) {
      out += text[at++];
      continue;
    }
    const auto found = values.find(text.substr(at + 1, end - at - 1));
    if (found == values.end()) {
      error = std::string(_("unknown placeholder")) + " " + text.substr(at, end - at + 1);
      return std::nullopt;
    }
    out += found->second;
    at = end + 1;
  }
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words)
    out += (out.empty() ? "" : ", ") + word;
  return out;
}

}  // namespace vitrine
