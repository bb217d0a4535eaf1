// SPDX-License-Identifier: LGPL-2.1-or-later
// Looking for sound servers.
#include "sound-names.h"

#include <glib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>

#include "common/unique-fd.h"

namespace vitrine {

std::vector<std::string> sound_sockets() {
  const auto variable = [](const char* name) -> std::string {
    const char* value = g_getenv(name);
    return value ? value : "";
  };
  if (std::string server = variable("PULSE_SERVER"); !server.empty()) {
    // "{machine}unix:PATH other…"
    server = server.substr(0, server.find(' '));
    if (server.starts_with("{") && server.find('}') != std::string::npos)
      server = server.substr(server.find('}') + 1);
    if (server.starts_with("unix:"))
      server = server.substr(5);
    return server.starts_with("/") ? std::vector{server} : std::vector<std::string>{};
  }
  if (const std::string folder = variable("PULSE_RUNTIME_PATH"); !folder.empty())
    return {folder + "/native"};
  return {std::string(g_get_user_runtime_dir()) + "/pulse/native", "/run/pulse/native"};
}

bool sound_socket_answers(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return false;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return fd.get() >= 0 && connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

bool sound_server_answers() {
  const auto sockets = sound_sockets();
  return sockets.empty() || std::any_of(sockets.begin(), sockets.end(), sound_socket_answers);
}

}  // namespace vitrine
