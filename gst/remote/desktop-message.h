// SPDX-License-Identifier: LGPL-2.1-or-later
// Messages of type desktop/… (docs/protocol.md, section 7): what viewers and the server say to x11desktop. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vitrine {

/// From the server: who holds control (empty: nobody) and who watches.
struct SessionState {
  std::string holder;
  std::vector<std::string> viewers;
};
/// The holder's window, in pixels of its screen; `scale` is how many of them make one CSS pixel.
struct SizeWish {
  int width = 0, height = 0;
  double scale = 1;
};
struct ClipboardBegin {
  uint32_t id = 0;
  std::vector<std::pair<std::string, uint64_t>> items;  // type, bytes
};
struct ClipboardData {
  uint32_t id = 0;
  uint64_t offset = 0;
  std::string bytes;
};
struct ClipboardAck {
  uint32_t id = 0;
  uint64_t received = 0;
};
struct ClipboardRefused {
  uint32_t id = 0;
};
struct ClipboardGet {};
/// Of a type that we do not know.
struct UnknownDesktopMessage {};

using DesktopMessage = std::variant<UnknownDesktopMessage, SessionState, SizeWish, ClipboardBegin, ClipboardData, ClipboardAck,
                                    ClipboardRefused, ClipboardGet>;

struct ParsedDesktopMessage {
  std::string from;  // the viewer; empty: the server itself
  DesktopMessage message;
};

/// Nothing, with `error` naming the member that is wrong, never its value, if the message is malformed.
std::optional<ParsedDesktopMessage> parse_desktop_message(std::string_view text, std::string& error);

}  // namespace vitrine
