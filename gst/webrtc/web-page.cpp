// SPDX-License-Identifier: LGPL-2.1-or-later
// Static files and security headers.
#include "webrtc/web-page.h"

#include "vitrine-config.h"
#include "webrtc/http-exchange.h"
#include "webrtc/static-files.h"

namespace vitrine {
namespace {

constexpr char kContentSecurityPolicy[] =
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self' ws: wss:; "
    "worker-src 'self' blob:; style-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'";

}  // namespace

std::string default_web_root() {
  const char* environment = g_getenv("VITRINE_WEB_ROOT");
  return environment && *environment ? environment : VITRINE_DATA_DIR "/web";
}

void set_page_headers(SoupServerMessage* message) {
  set_header(message, "X-Content-Type-Options", "nosniff");
  set_header(message, "Referrer-Policy", "no-referrer");
  set_header(message, "Content-Security-Policy", kContentSecurityPolicy);
  set_header(message, "Cross-Origin-Opener-Policy", "same-origin");
}

bool serve_page_file(SoupServerMessage* message, const std::string& web_root, const std::string& path) {
  const auto file = find_static_file(web_root, path);
  char* contents = nullptr;
  gsize length = 0;
  if (!file || !g_file_get_contents(file->path.c_str(), &contents, &length, nullptr))
    return false;
  set_header(message, "Cache-Control", file->cache_control);
  soup_server_message_set_status(message, SOUP_STATUS_OK, nullptr);
  soup_server_message_set_response(message, file->content_type, SOUP_MEMORY_TAKE, contents, length);
  return true;
}

}  // namespace vitrine
