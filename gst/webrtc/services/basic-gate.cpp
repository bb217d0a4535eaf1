// SPDX-License-Identifier: LGPL-2.1-or-later
// Letting in who has the password.
#include "webrtc/services/basic-gate.h"

#include "common/ref.h"

namespace vitrine {
namespace {

constexpr guint kTooManyRequests = 429;

void set_header(SoupServerMessage* message, const char* name, const std::string& value) {
  soup_message_headers_replace(soup_server_message_get_response_headers(message), name, value.c_str());
}

}  // namespace

void respond_now(SoupServerMessage* message, guint status, const char* type, const std::string& body) {
  set_header(message, "Cache-Control", "no-store");
  soup_server_message_set_status(message, status, nullptr);
  soup_server_message_set_response(message, type, SOUP_MEMORY_COPY, body.data(), body.size());
}

bool BasicGate::admit(SoupServerMessage* message, std::string& account) {
  if (!required_)
    return true;
  const int64_t now_us = g_get_monotonic_time();
  GCharPtr text(g_inet_address_to_string(g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(soup_server_message_get_remote_address(message)))));
  const std::string address = text.get();
  if (const int wait = throttle_.wait_seconds(address, now_us)) {
    set_header(message, "Retry-After", std::to_string(wait));
    respond_now(message, kTooManyRequests, "text/plain", "too many failed attempts; try again later\n");
    return false;
  }
  const char* value = soup_message_headers_get_one(soup_server_message_get_request_headers(message), "Authorization");
  const std::string authorization = value ? value : "";
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
