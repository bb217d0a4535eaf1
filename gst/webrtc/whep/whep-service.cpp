// SPDX-License-Identifier: LGPL-2.1-or-later
// Methods, media types, entity tags, limits.
#include "webrtc/whep/whep-service.h"

#include <utility>

#include "webrtc/accounts.h"
#include "webrtc/debug.h"
#include "webrtc/http-exchange.h"

namespace vitrine {
namespace {

// RFC 9110 and RFC 6585; libsoup has no names for some of them.
constexpr unsigned kMethodNotAllowed = 405, kTooLarge = 413, kMediaType = 415, kUnprocessable = 422, kPreconditionRequired = 428,
                   kTooManyRequests = 429;
constexpr char kOfferType[] = "application/sdp", kFragmentType[] = "application/trickle-ice-sdpfrag";
constexpr uint64_t kMostRead = 256 * 1024;  // of a body, so that whoever sends too much still reads why it was refused

const char* allowed_methods(const WhepPath& path) { return path.session.empty() ? "POST, GET, HEAD, OPTIONS" : "PATCH, DELETE, GET, HEAD, OPTIONS"; }

bool is_method(SoupServerMessage* message, const char* method) { return g_strcmp0(soup_server_message_get_method(message), method) == 0; }

/// What an offer or a fragment has to be; the first thing that it is not.
std::pair<unsigned, std::string> body_problem(SoupServerMessage* message, const char* type) {
  SoupMessageHeaders* headers = soup_server_message_get_request_headers(message);
  if (!is_media_type(request_header(message, "Content-Type"), type))
    return {kMediaType, std::string("the body has to be ") + type};
  if (*request_header(message, "Content-Encoding"))
    return {kMediaType, "the body must not be encoded"};
  if (soup_message_headers_get_encoding(headers) == SOUP_ENCODING_CONTENT_LENGTH && soup_message_headers_get_content_length(headers) > goffset{kWhepBodyMax})
    return {kTooLarge, "the body may have 32 KiB"};
  return {};
}

std::string body_of(SoupServerMessage* message) {
  GBytes* bytes = soup_message_body_flatten(soup_server_message_get_request_body(message));
  gsize size = 0;
  const auto* data = static_cast<const char*>(g_bytes_get_data(bytes, &size));
  std::string text(data ? data : "", size);
  g_bytes_unref(bytes);
  return text;
}

}  // namespace

WhepService::WhepService(AllowedOrigins allowed_origins, WhepHandlers handlers)
    : allowed_origins_(std::move(allowed_origins)), handlers_(std::move(handlers)) {}

WhepService::~WhepService() {
  for (const auto& [id, session] : std::exchange(sessions_, {}))
    session->end();
}

bool WhepService::greet(SoupServerMessage* message, const WhepPath& path, bool own) {
  const std::string origin = request_header(message, "Origin");
  const bool allowed = allowed_origins_.allows(origin);
  if (!own) {
    set_header(message, "Vary", "Origin");
    if (allowed) {
      // Without credentials of the browser's own, cookies among them: such a page brings its Authorization itself.
      set_header(message, "Access-Control-Allow-Origin", origin);
      set_header(message, "Access-Control-Expose-Headers", "Location, Link, ETag, Accept-Patch, Retry-After");
    }
  }
  if (is_method(message, "OPTIONS")) {
    set_header(message, "Allow", allowed_methods(path));
    if (path.session.empty())
      set_header(message, "Accept-Post", kOfferType);
    else
      set_header(message, "Accept-Patch", kFragmentType);
    if (!own && allowed) {
      set_header(message, "Access-Control-Allow-Methods", path.session.empty() ? "POST" : "PATCH, DELETE");
      set_header(message, "Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match");
      set_header(message, "Access-Control-Max-Age", "600");
    }
    respond(message, SOUP_STATUS_OK, "text/plain", "");
    return false;
  }
  if (!own && !allowed) {
    GST_WARNING("refused a WHEP request: its Origin is another site's and not in allowed-origins");
    refuse(message, SOUP_STATUS_FORBIDDEN, "pages of this origin may not watch (allowed-origins)");
    return false;
  }
  return true;
}

void WhepService::check(SoupServerMessage* message, const WhepPath& path) {
  limit_body(message, kMostRead);
  const bool post = is_method(message, "POST"), patch = is_method(message, "PATCH"), remove = is_method(message, "DELETE");
  const bool looks = is_method(message, "GET") || is_method(message, "HEAD");
  if (!looks && (path.session.empty() ? !post : !patch && !remove)) {
    set_header(message, "Allow", allowed_methods(path));
    return refuse(message, kMethodNotAllowed, std::string("here are ") + allowed_methods(path));
  }
  const int64_t now_us = g_get_monotonic_time();
  if (!looks && !(post ? offers_ : patches_).take(now_us)) {
    set_header(message, "Retry-After", "2");
    return refuse(message, kTooManyRequests, "too many requests; try again later");
  }
  if (post || patch) {
    if (const auto [status, why] = body_problem(message, post ? kOfferType : kFragmentType); status != 0) {
      set_header(message, post ? "Accept-Post" : "Accept-Patch", post ? kOfferType : kFragmentType);
      return refuse(message, status, why);
    }
    soup_message_body_set_accumulate(soup_server_message_get_request_body(message), TRUE);
  }
}

void WhepService::serve(SoupServerMessage* message, const WhepPath& path, const ViewerRequest& request) {
  const bool looks = is_method(message, "GET") || is_method(message, "HEAD");
  const auto found = sessions_.find(path.session);
  const std::shared_ptr<WhepSession> session = found != sessions_.end() && found->second->account() == request.identity.account ? found->second : nullptr;
  if (!path.session.empty() && !session)
    return refuse(message, SOUP_STATUS_NOT_FOUND, "there is no such session");
  set_header(message, "Cache-Control", "no-store");
  if (looks) {
    soup_server_message_set_status(message, SOUP_STATUS_NO_CONTENT, nullptr);
  } else if (is_method(message, "DELETE")) {
    session->end();
    respond(message, SOUP_STATUS_OK, "text/plain", "");
  } else {
    const std::string text = body_of(message);
    if (text.size() > kWhepBodyMax)
      return refuse(message, kTooLarge, "the body may have 32 KiB");
    if (session)
      trickle(message, *session, text);
    else
      begin(message, request, text);
  }
}

void WhepService::begin(SoupServerMessage* message, ViewerRequest request, const std::string& sdp) {
  if (!g_utf8_validate_len(sdp.data(), sdp.size(), nullptr))
    return refuse(message, SOUP_STATUS_BAD_REQUEST, "the offer is no text in UTF-8");
  // Whoever plays so sees and hears, whatever the account may do elsewhere.
  request.identity.role = Role::view;
  const auto session = std::make_shared<WhepSession>(random_hex(16), request.identity.account,
                                                     ice_server_links(handlers_.ice_servers(request.identity.account)),
                                                     [this](const WhepSession& over) {
                                                       refused_ += !over.answered();
                                                       sessions_.erase(over.id());
                                                     });
  ++total_;
  sessions_.emplace(session->id(), session);
  session->wait(message);
  handlers_.add_viewer(session->channel(), request);
  session->offer(sdp);
}

void WhepService::trickle(SoupServerMessage* message, WhepSession& session, const std::string& text) {
  switch (match_tag(request_header(message, "If-Match"), session.tag())) {
    case TagMatch::missing:
      return refuse(message, kPreconditionRequired, "If-Match has to name the session's ETag");
    case TagMatch::other:
      return refuse(message, SOUP_STATUS_PRECONDITION_FAILED, "If-Match names another ETag");
    case TagMatch::fits:
      break;
  }
  std::string error;
  const auto fragment = parse_ice_fragment(text, error);
  if (!fragment)
    return refuse(message, SOUP_STATUS_BAD_REQUEST, error);
  if (!fragment->ufrag.empty() && fragment->ufrag != session.ufrag())
    return refuse(message, kUnprocessable, "ICE is not restarted here: begin another session");
  session.add(*fragment);
  soup_server_message_set_status(message, SOUP_STATUS_NO_CONTENT, nullptr);
}

void WhepService::refuse(SoupServerMessage* message, unsigned status, const std::string& why) {
  ++refused_;
  set_header(message, "Cache-Control", "no-store");
  respond(message, status, "text/plain", why + "\n");
}

WhepStatistics WhepService::statistics() const { return {sessions_.size(), total_, refused_}; }

}  // namespace vitrine
