// SPDX-License-Identifier: LGPL-2.1-or-later
// Asking a TURN REST service.
#include "webrtc/turn/turn-rest-client.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "webrtc/debug.h"

namespace vitrine {
namespace {

using UriPtr = std::unique_ptr<GUri, decltype(&g_uri_unref)>;

UriPtr parse_uri(const std::string& text) {
  return {g_uri_parse(text.c_str(), GUriFlags(G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED_QUERY | G_URI_FLAGS_ENCODED_PATH), nullptr),
          g_uri_unref};
}

/// "Basic …" of the address's user and password, empty if it has none.
std::string authorization_of(const std::string& address) {
  const auto uri = parse_uri(address);
  if (!uri || !g_uri_get_user(uri.get()))
    return "";
  const char* password = g_uri_get_password(uri.get());
  const std::string both = std::string(g_uri_get_user(uri.get())) + ":" + (password ? password : "");
  GCharPtr encoded(g_base64_encode(reinterpret_cast<const guchar*>(both.data()), both.size()));
  return std::string("Basic ") + encoded.get();
}

}  // namespace

std::optional<std::string> turn_rest_address(const TurnSettings& settings) {
  const auto uri = parse_uri(settings.rest_uri);
  const std::string scheme = uri ? g_uri_get_scheme(uri.get()) : "";
  if ((scheme != "http" && scheme != "https") || !g_uri_get_host(uri.get()) || !*g_uri_get_host(uri.get()))
    return std::nullopt;
  std::string query = g_uri_get_query(uri.get()) ? g_uri_get_query(uri.get()) : "";
  const auto add = [&query](const std::string& name, const std::string& value) {
    if (("&" + query).find("&" + name + "=") == std::string::npos)
      query += (query.empty() ? "" : "&") + name + "=" + percent_encoded(value);
  };
  add("service", "turn");
  add("username", settings.rest_user.empty() ? "vitrine" : settings.rest_user);
  add("protocol", settings.rest_protocol);
  add("tls", settings.rest_tls ? "true" : "false");
  GCharPtr text(g_uri_join(GUriFlags(G_URI_FLAGS_ENCODED_QUERY | G_URI_FLAGS_ENCODED_PATH), scheme.c_str(), nullptr, g_uri_get_host(uri.get()),
                           g_uri_get_port(uri.get()), *g_uri_get_path(uri.get()) ? g_uri_get_path(uri.get()) : "/", query.c_str(), nullptr));
  return std::string(text.get());
}

TurnRestClient::TurnRestClient(const TurnSettings& settings, std::function<void()> changed)
    : settings_(settings),
      changed_(std::move(changed)),
      authorization_(authorization_of(settings.rest_uri)),
      session_(Ref<SoupSession>::adopt(soup_session_new_with_options("timeout", kTimeoutS, "user-agent", "Vitrine", nullptr))),
      cancel_(Ref<GCancellable>::adopt(g_cancellable_new())) {
  if (!settings_.tls_ca_file.empty()) {
    // That it can be read was checked at the start.
    auto database = Ref<GTlsDatabase>::adopt(g_tls_file_database_new(settings_.tls_ca_file.c_str(), nullptr));
    if (database)
      soup_session_set_tls_database(session_.get(), database.get());
  }
  fetch();
}

TurnRestClient::~TurnRestClient() {
  if (timer_)
    g_source_destroy(timer_.get());
  g_cancellable_cancel(cancel_.get());
  soup_session_abort(session_.get());
}

RtcConfiguration TurnRestClient::configuration(int64_t now_us) const {
  if (expires_us_ != 0 && now_us >= expires_us_)
    return {};
  RtcConfiguration result = configuration_;
  if (expires_us_ != 0)
    result.lifetime_s = (expires_us_ - now_us) / 1'000'000;
  return result;
}

void TurnRestClient::again_in(int64_t seconds) {
  // Not by g_timeout_source_new_seconds(), which may be a second late: some credentials live for seconds.
  timer_ = Ref<GSource>::adopt(g_timeout_source_new(static_cast<guint>(1000 * seconds)));
  g_source_set_callback(
      timer_.get(),
      [](gpointer self) -> gboolean {
        static_cast<TurnRestClient*>(self)->fetch();
        return G_SOURCE_REMOVE;
      },
      this, nullptr);
  g_source_attach(timer_.get(), g_main_context_get_thread_default());
}

void TurnRestClient::fetch() {
  const auto address = turn_rest_address(settings_);
  message_ = Ref<SoupMessage>::adopt(address ? soup_message_new("GET", address->c_str()) : nullptr);
  if (!message_) {
    failed("the address cannot be used");
    return;
  }
  soup_message_add_flags(message_.get(), SOUP_MESSAGE_NO_REDIRECT);
  SoupMessageHeaders* headers = soup_message_get_request_headers(message_.get());
  soup_message_headers_replace(headers, "Accept", "application/json");
  // The names under which deployed services look for them.
  soup_message_headers_replace(headers, "x-auth-user", settings_.rest_user.empty() ? "vitrine" : settings_.rest_user.c_str());
  soup_message_headers_replace(headers, "x-turn-protocol", settings_.rest_protocol.c_str());
  soup_message_headers_replace(headers, "x-turn-tls", settings_.rest_tls ? "true" : "false");
  if (!authorization_.empty())
    soup_message_headers_replace(headers, "Authorization", authorization_.c_str());
  soup_session_send_async(session_.get(), message_.get(), G_PRIORITY_DEFAULT, cancel_.get(), on_sent, this);
}

void TurnRestClient::on_sent(GObject* session, GAsyncResult* result, gpointer data) {
  ErrorSlot error;
  auto stream = Ref<GInputStream>::adopt(soup_session_send_finish(SOUP_SESSION(session), result, error.out()));
  if (error && g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;  // we are gone
  auto* self = static_cast<TurnRestClient*>(data);
  if (!stream) {
    self->failed(error.message());
    return;
  }
  self->body_.assign(RtcConfiguration::kTextMax + 1, '\0');
  g_input_stream_read_all_async(stream.get(), self->body_.data(), self->body_.size(), G_PRIORITY_DEFAULT, self->cancel_.get(), on_read, self);
}

void TurnRestClient::on_read(GObject* stream, GAsyncResult* result, gpointer data) {
  ErrorSlot error;
  gsize length = 0;
  const bool read = g_input_stream_read_all_finish(G_INPUT_STREAM(stream), result, &length, error.out());
  if (error && g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  auto* self = static_cast<TurnRestClient*>(data);
  if (read)
    self->take(self->body_.substr(0, length), soup_message_get_status(self->message_.get()));
  else
    self->failed(error.message());
}

void TurnRestClient::take(const std::string& body, unsigned status) {
  std::string error;
  if (status != SOUP_STATUS_OK) {
    failed("it answers with status " + std::to_string(status));
    return;
  }
  auto read = parse_rtc_configuration(body, error);
  if (!read) {
    failed(error);
    return;
  }
  const int64_t lifetime_s = read->lifetime_s;
  expires_us_ = lifetime_s > 0 ? g_get_monotonic_time() + lifetime_s * 1'000'000 : 0;
  backoff_s_ = kBackoffFirstS;
  problem_.clear();
  const bool is_new = !std::exchange(answered_, true) || read->servers != configuration_.servers || read->relay_only != configuration_.relay_only;
  configuration_ = std::move(*read);
  again_in(ask_again_after(lifetime_s));
  if (is_new) {
    GST_INFO("the TURN REST service names %zu servers", configuration_.servers.size());
    changed_();
  }
}

void TurnRestClient::failed(const std::string& why) {
  problem_ = why;
  GST_WARNING("turn-rest-uri: %s; asking again in %" G_GINT64_FORMAT " s", why.c_str(), backoff_s_);
  again_in(backoff_s_);
  backoff_s_ = std::min(backoff_s_ * 2, kBackoffMostS);
  if (expires_us_ != 0 && g_get_monotonic_time() >= expires_us_ && !configuration_.servers.empty()) {
    configuration_ = {};
    changed_();
  }
}

}  // namespace vitrine
