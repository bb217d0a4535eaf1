// SPDX-License-Identifier: LGPL-2.1-or-later
// TURN credentials from a shared secret.
#include "webrtc/turn/turn-credentials.h"

#include <glib.h>
#include <string.h>

#include <algorithm>

namespace vitrine {

TurnCredentials make_turn_credentials(const std::string& secret, const std::string& name, int64_t now_s, int64_t lifetime_s) {
  std::string user;
  for (const char c : name)
    if (g_ascii_isalnum(c) || c == '-' || c == '_' || c == '.' || c == '@')
      user += c;
  TurnCredentials made;
  made.username = std::to_string(now_s + lifetime_s) + ":" + (user.empty() ? "vitrine" : user.substr(0, 64));
  GHmac* hmac = g_hmac_new(G_CHECKSUM_SHA1, reinterpret_cast<const guchar*>(secret.data()), secret.size());
  g_hmac_update(hmac, reinterpret_cast<const guchar*>(made.username.data()), static_cast<gssize>(made.username.size()));
  guint8 digest[20];
  gsize length = sizeof digest;
  g_hmac_get_digest(hmac, digest, &length);
  g_hmac_unref(hmac);
  char* text = g_base64_encode(digest, length);
  made.credential = text;
  g_free(text);
  return made;
}

int64_t renew_after(int64_t lifetime_s) { return std::max<int64_t>(1, lifetime_s - std::max<int64_t>(1, lifetime_s / 4)); }

int64_t ask_again_after(int64_t lifetime_s) {
  constexpr int64_t kUnlimitedS = 3600, kMostS = 86400;
  return lifetime_s > 0 ? std::min(renew_after(lifetime_s), kMostS) : kUnlimitedS;
}

void forget(std::string& secret) {
  explicit_bzero(secret.data(), secret.size());
  secret.clear();
}

}  // namespace vitrine
