// SPDX-License-Identifier: LGPL-2.1-or-later
// Letting in who has the password.
#include "webrtc/services/basic-gate.h"

#include "common/ref.h"
#include "webrtc/http-exchange.h"

namespace vitrine {
namespace {

constexpr guint kTooManyRequests = 429;

}  // namespace

void respond_now(SoupServerMessage* message, guint status, const char* type, const std::string& body) {
  set_header(message, "Cache-Control", "no-store");
  respond(message, status, type, body);
}

bool BasicGate::admit(SoupServerMessage* message, std::string& account) {
  if (!required_)
    return true;
  const int64_t now_us = g_get_monotonic_time();
  const std::string address = ip_of(soup_server_message_get_remote_address(message));
  // Whose socket is reset already has none, and counts as nobody whose failures could be told apart.
  if (address.empty()) {
    respond_now(message, SOUP_STATUS_BAD_REQUEST, "text/plain", "the connection is gone\n");
    return false;
  }
  if (const int wait = throttle_.wait_seconds(address, now_us)) {
    set_header(message, "Retry-After", std::to_string(wait));
    respond_now(message, kTooManyRequests, "text/plain", "too many failed attempts; try again later\n");
    return false;
  }
  const std::string authorization = request_header(message, "Authorization");
  if (g_ascii_strncasecmp(authorization.c_str(), "Basic ", 6) == 0) {
    std::string token = sessions_.token_of(authorization, now_us);
    gsize length = 0;
    guchar* decoded = g_base64_decode(authorization.c_str() + 6, &length);
    const std::string both(reinterpret_cast<char*>(decoded), length);
    g_free(decoded);
    const size_t colon = both.find(':');
    if (token.empty() && colon != std::string::npos)
      if (const auto identity = accounts_.check(both.substr(0, colon), both.substr(colon + 1)))
        token = sessions_.open(*identity, authorization, now_us);
    if (const auto session = sessions_.find(token, now_us)) {
      account = session->account;
      return true;
    }
    throttle_.failed(address, now_us);
  }
  set_header(message, "WWW-Authenticate", std::string("Basic realm=\"") + realm_ + "\", charset=\"UTF-8\"");
  respond_now(message, SOUP_STATUS_UNAUTHORIZED, "text/plain", "user and password are needed\n");
  return false;
}

}  // namespace vitrine
