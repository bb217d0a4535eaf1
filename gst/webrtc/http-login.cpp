// SPDX-License-Identifier: LGPL-2.1-or-later
// Authorization headers and cookies.
#include "webrtc/http-login.h"

#include "webrtc/http-exchange.h"

namespace vitrine {
namespace {

constexpr guint kTooManyRequests = 429;  // RFC 6585; libsoup has no name for it

/// What follows a scheme in an Authorization header; nothing if it is of another one.
std::optional<std::string> credentials_of(const std::string& authorization, const std::string& scheme) {
  if (authorization.size() <= scheme.size() || g_ascii_strncasecmp(authorization.c_str(), scheme.c_str(), scheme.size()) != 0 ||
      authorization[scheme.size()] != ' ')
    return std::nullopt;
  const size_t from = authorization.find_first_not_of(' ', scheme.size());
  return from == std::string::npos ? "" : authorization.substr(from);
}

/// "<base64 of name:password>".
bool read_basic(const std::string& credentials, std::string& name, std::string& password) {
  gsize length = 0;
  guchar* decoded = g_base64_decode(credentials.c_str(), &length);
  const std::string text(reinterpret_cast<char*>(decoded), length);
  g_free(decoded);
  const size_t colon = text.find(':');
  if (colon == std::string::npos)
    return false;
  name = text.substr(0, colon);
  password = text.substr(colon + 1);
  return true;
}

}  // namespace

void HttpLogin::change(const Accounts& accounts) {
  sessions_.keep([&](const std::string& account) { return settings_.accounts.agrees(accounts, account); });
  settings_.accounts = accounts;
}

std::optional<Identity> HttpLogin::admit(SoupServerMessage* message, const RequestOrigin& origin) {
  if (!settings_.required)
    return Identity{"anybody", Role::control};
  // Whose socket is reset already has no address, and counts as nobody whose failures could be told apart.
  if (origin.remote.empty()) {
    respond_now(message, SOUP_STATUS_BAD_REQUEST, "text/plain", "the connection is gone\n");
    return std::nullopt;
  }
  const int64_t now_us = g_get_monotonic_time();
  if (!settings_.cookie.empty())
    if (const auto session = sessions_.find(cookie_value(request_header(message, "Cookie"), settings_.cookie), now_us))
      return session;
  if (const int wait = throttle_.wait_seconds(origin.remote, now_us)) {
    set_header(message, "Retry-After", std::to_string(wait));
    respond_now(message, kTooManyRequests, "text/plain", "too many failed attempts; try again later\n");
    return std::nullopt;
  }
  const std::string authorization = request_header(message, "Authorization");
  const auto token = credentials_of(authorization, "Bearer");
  const auto identity = token ? settings_.accounts.check_token(*token) : check_password(message, authorization, origin, now_us);
  if (identity)
    return identity;
  if (token || credentials_of(authorization, "Basic")) {
    throttle_.failed(origin.remote, now_us);
    if (settings_.failed)
      settings_.failed(origin.remote);
  }
  const std::string realm = std::string(" realm=\"") + settings_.realm + "\", ";
  set_header(message, "WWW-Authenticate", token ? "Bearer" + realm + "error=\"invalid_token\"" : "Basic" + realm + "charset=\"UTF-8\"");
  respond_now(message, SOUP_STATUS_UNAUTHORIZED, "text/plain", "user and password are needed\n");
  return std::nullopt;
}

std::optional<Identity> HttpLogin::check_password(SoupServerMessage* message, const std::string& authorization, const RequestOrigin& origin,
                                                  int64_t now_us) {
  const auto credentials = credentials_of(authorization, "Basic");
  std::string name, password;
  if (!credentials || !read_basic(*credentials, name, password))
    return std::nullopt;
  std::string session = sessions_.token_of(authorization, now_us);
  if (session.empty()) {
    if (const auto identity = settings_.accounts.check(name, password))
      session = sessions_.open(*identity, authorization, now_us);
  }
  const auto identity = sessions_.find(session, now_us);
  if (identity && !settings_.cookie.empty())
    set_header(message, "Set-Cookie",
               settings_.cookie + "=" + session + "; Path=" + settings_.cookie_path + "; HttpOnly; SameSite=Strict" + (origin.secure ? "; Secure" : ""));
  return identity;
}

}  // namespace vitrine
