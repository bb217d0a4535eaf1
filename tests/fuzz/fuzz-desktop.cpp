// SPDX-License-Identifier: LGPL-2.1-or-later
// What viewers say to x11desktop: messages, one a line, and the transfer that they make.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "remote/clipboard-transfer.h"
#include "remote/desktop-message.h"

using namespace vitrine;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr uint64_t kLimit = 1000;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  TransferReceiver receiver;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string error;
    const auto message = parse_desktop_message(rest.substr(0, end), error);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!message && error.empty())
      std::abort();
    if (!message)
      continue;
    auto result = TransferReceiver::Result::ignored;
    if (const auto* begin = std::get_if<ClipboardBegin>(&message->message))
      result = receiver.begin(*begin, kLimit, 0);
    else if (const auto* piece = std::get_if<ClipboardData>(&message->message))
      result = receiver.data(*piece, 0);
    if (receiver.received() > kLimit)
      std::abort();
    if (result == TransferReceiver::Result::complete && content_size(receiver.take()) > kLimit)
      std::abort();
  }
  return 0;
}
