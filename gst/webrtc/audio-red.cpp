// SPDX-License-Identifier: LGPL-2.1-or-later
// Redundant audio data.
#include "webrtc/audio-red.h"

#include <algorithm>

namespace vitrine {
namespace {

constexpr size_t kHeader = 12;

/// Bytes before an RTP packet's payload (RFC 3550 §5.1); nothing if it is none.
std::optional<size_t> header_size(std::span<const uint8_t> packet) {
  if (packet.size() < kHeader || packet[0] >> 6 != 2)
    return std::nullopt;
  size_t size = kHeader + size_t{4} * (packet[0] & 0x0f);
  if (packet[0] & 0x10) {
    if (packet.size() < size + 4)
      return std::nullopt;
    size += 4 + size_t{4} * (size_t{packet[size + 2]} << 8 | packet[size + 3]);
  }
  return size <= packet.size() ? std::optional(size) : std::nullopt;
}

uint32_t timestamp_of(std::span<const uint8_t> packet) {
  return uint32_t{packet[4]} << 24 | uint32_t{packet[5]} << 16 | uint32_t{packet[6]} << 8 | packet[7];
}

/// Lines with their ends, so that what is not changed stays as it is.
template <typename Each>
void each_line(const std::string& sdp, Each&& each) {
  for (size_t start = 0; start < sdp.size();) {
    const size_t end = std::min(sdp.find('\n', start), sdp.size() - 1) + 1;
    each(sdp.substr(start, end - start));
    start = end;
  }
}

/// Whether a line says `what`, and then ends or goes on with a space.
bool says(const std::string& line, const std::string& what) {
  return line.starts_with(what) && (line.size() == what.size() || line[what.size()] == ' ' || line[what.size()] == '\r' || line[what.size()] == '\n');
}

/// An "m=" line: "m=audio PORT PROTOCOL", its payload types, its end.
struct MediaLine {
  std::string head, ending;
  std::vector<std::string> formats;

  explicit MediaLine(const std::string& line) {
    const size_t end = line.find_last_not_of("\r\n") + 1;
    ending = line.substr(end);
    size_t words = 0;
    for (size_t start = 0; start < end; ++words) {
      const size_t space = std::min(line.find(' ', start), end);
      const std::string word = line.substr(start, space - start);
      if (words < 3)
        head += (words ? " " : "") + word;
      else
        formats.push_back(word);
      start = space + 1;
    }
  }
  bool has(uint8_t payload) const { return std::find(formats.begin(), formats.end(), std::to_string(payload)) != formats.end(); }
  bool audio() const { return head.starts_with("m=audio "); }
  bool rejected() const { return head.starts_with("m=audio 0 "); }
  std::string text() const {
    std::string out = head;
    for (const auto& format : formats)
      out += " " + format;
    return out + ending;
  }
};

}  // namespace

std::string offer_red(const std::string& sdp) {
  const std::string opus = std::to_string(kOpusPayload), red = std::to_string(kRedPayload);
  std::string out;
  bool here = false;
  each_line(sdp, [&](const std::string& line) {
    if (line.starts_with("m=")) {
      MediaLine media(line);
      here = media.audio() && media.has(kOpusPayload) && !media.has(kRedPayload);
      if (here)
        media.formats.push_back(red);
      out += here ? media.text() : line;
      return;
    }
    out += line;
    const std::string ending = line.substr(line.find_last_not_of("\r\n") + 1);
    if (here && says(line, "a=rtpmap:" + opus))
      out += "a=rtpmap:" + red + " red/48000/2" + ending + "a=fmtp:" + red + " " + opus + "/" + opus + ending;
  });
  return out;
}

std::string strip_red(const std::string& sdp, bool& taken) {
  const std::string red = std::to_string(kRedPayload);
  std::string out;
  bool here = false;
  taken = false;
  each_line(sdp, [&](const std::string& line) {
    if (line.starts_with("m=")) {
      MediaLine media(line);
      // Alone it is none of ours: we offer it behind Opus.
      here = media.audio() && media.has(kRedPayload) && media.has(kOpusPayload);
      taken |= here && !media.rejected();
      if (here)
        std::erase(media.formats, red);
      out += here ? media.text() : line;
      return;
    }
    const bool about_red = says(line, "a=rtpmap:" + red) || says(line, "a=fmtp:" + red) || says(line, "a=rtcp-fb:" + red);
    if (!here || !about_red)
      out += line;
  });
  return out;
}

std::optional<std::vector<uint8_t>> RedPacker::pack(std::span<const uint8_t> packet, size_t copies) {
  const auto header = header_size(packet);
  // Padding is nobody's but ours, and we use none.
  if (!header || (packet[1] & 0x7f) != kOpusPayload || packet[0] & 0x20)
    return std::nullopt;
  const auto payload = packet.subspan(*header);
  const uint32_t timestamp = timestamp_of(packet);

  std::vector<const Frame*> old;
  size_t size = packet.size() + 1;
  for (auto frame = frames_.rbegin(); frame != frames_.rend() && old.size() < copies; ++frame) {
    const uint32_t age = timestamp - frame->timestamp;
    if (age == 0 || age > kMostAge || size + 4 + frame->data.size() > kMostPacket)
      break;
    size += 4 + frame->data.size();
    old.insert(old.begin(), &*frame);
  }
  std::optional<std::vector<uint8_t>> red;
  if (!old.empty()) {
    red.emplace();
    red->reserve(size);
    red->assign(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(*header));
    (*red)[1] = static_cast<uint8_t>(((*red)[1] & 0x80) | kRedPayload);
    for (const Frame* frame : old) {
      const uint32_t block = (timestamp - frame->timestamp) << 10 | static_cast<uint32_t>(frame->data.size());
      red->insert(red->end(), {static_cast<uint8_t>(0x80 | kOpusPayload), static_cast<uint8_t>(block >> 16), static_cast<uint8_t>(block >> 8),
                               static_cast<uint8_t>(block)});
    }
    red->push_back(kOpusPayload);
    for (const Frame* frame : old)
      red->insert(red->end(), frame->data.begin(), frame->data.end());
    red->insert(red->end(), payload.begin(), payload.end());
  }
  if (payload.size() <= kMostBytes)
    frames_.push_back({timestamp, {payload.begin(), payload.end()}});
  else
    frames_.clear();
  if (frames_.size() > kMostCopies)
    frames_.pop_front();
  return red;
}

}  // namespace vitrine
