// SPDX-License-Identifier: LGPL-2.1-or-later
// Text of viewers, of HTTP requests and of the accounts file. The first byte chooses.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "webrtc/accounts.h"
#include "webrtc/candidates.h"
#include "webrtc/message.h"
#include "webrtc/sdp.h"
#include "webrtc/static-files.h"

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

void desktop_message(const std::string& text) {
  using namespace vitrine;
  const auto edited = edit_desktop_message(text, "from", "peer");
  std::string error, from;
  if (!edited)
    return;
  require(parse_viewer_message(*edited, error) || edited->size() > kMessageMax);
  require(edit_desktop_message(*edited, "from", nullptr, &from) && from == "peer");
}

void accounts_file(const std::string& text) {
  static const int fd = memfd_create("accounts", 0);
  require(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  vitrine::Accounts accounts;
  std::string error;
  if (!accounts.load(path, error))
    require(accounts.empty() && error.starts_with(path + ":"));
}

void host_header(const std::string& text) {
  using namespace vitrine;
  CandidateInputs inputs;
  inputs.host_header = text;
  inputs.local_address = text;
  inputs.port = 8080;
  for (const auto& candidate : make_candidates(inputs))
    require(candidate.find_first_of(std::string("\r\n\0", 3)) == std::string::npos);
  inputs.public_address = text;
  for (const auto& candidate : make_candidates(inputs))
    require(candidate.find_first_of(std::string("\r\n\0", 3)) == std::string::npos);
}

void static_path(const std::string& text) {
  static const std::string root = "/usr/share/common-licenses";
  if (const auto file = vitrine::find_static_file(root, text))
    require(file->path.starts_with(root + "/"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vitrine;
  if (size == 0)
    return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  std::string error;
  switch (data[0] % 8) {
    case 0:
      require(parse_viewer_message(text, error) || !error.empty());
      break;
    case 1:
      desktop_message(text);
      break;
    case 2:
      if (const auto facts = read_answer(text, error))
        certificate_fingerprint(text, facts->fingerprints[0].algorithm);
      else
        require(!error.empty());
      break;
    case 3: {
      const OfferEdits edits{true, {"candidate:1 1 UDP 1 192.0.2.1 8080 typ host"}, "H264", "profile-level-id=42e01f"};
      const std::string once = edit_offer(text, edits);
      require(edit_offer(once, edits) == once);
      break;
    }
    case 4:
      host_header(text);
      break;
    case 5:
      accounts_file(text);
      break;
    case 6:
      static_path(text);
      static_path("/" + text);
      break;
    default:
      cookie_value(text, "vitrine_session");
      certificate_fingerprint(text, "sha-256");
      require(MessageWriter("x").text("t", text).finish().size() >= text.size());
  }
  return 0;
}
