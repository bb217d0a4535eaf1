// SPDX-License-Identifier: LGPL-2.1-or-later
// One store in front of all sources of servers.
#include "webrtc/turn/ice-server-store.h"

namespace vitrine {

IceServerStore::~IceServerStore() {
  if (renewal_)
    g_source_destroy(renewal_.get());
}

bool IceServerStore::load(std::string& error) {
  error = turn_settings_problem(settings_);
  if (!error.empty())
    return false;
  if (!settings_.rest_uri.empty() && !turn_rest_address(settings_)) {
    error = "turn-rest-uri: is no http: or https: address";
    return false;
  }
  if (!settings_.tls_ca_file.empty()) {
    ErrorSlot failure;
    const auto database = Ref<GTlsDatabase>::adopt(g_tls_file_database_new(settings_.tls_ca_file.c_str(), failure.out()));
    if (!database) {
      error = std::string("turn-ca-file: ") + failure.message();
      return false;
    }
  }
  if (!settings_.rtc_config_file.empty() && !read_rtc_config_file(settings_.rtc_config_file, from_file_, error)) {
    error = "rtc-config-file: " + error;
    return false;
  }
  return true;
}

void IceServerStore::start(std::function<void()> changed) {
  changed_ = std::move(changed);
  if (!settings_.rest_uri.empty())
    rest_ = std::make_unique<TurnRestClient>(settings_, changed_);
  if (!settings_.rtc_config_file.empty())
    file_ = std::make_unique<RtcConfigFile>(settings_.rtc_config_file, from_file_, changed_);
  if (!settings_.shared_secret.empty())
    schedule_renewal();
}

void IceServerStore::schedule_renewal() {
  renewal_ = Ref<GSource>::adopt(g_timeout_source_new_seconds(static_cast<guint>(renew_after(settings_.lifetime_s))));
  g_source_set_callback(
      renewal_.get(),
      [](gpointer self) -> gboolean {
        static_cast<IceServerStore*>(self)->changed_();
        return G_SOURCE_CONTINUE;
      },
      this, nullptr);
  g_source_attach(renewal_.get(), g_main_context_get_thread_default());
}

RtcConfiguration IceServerStore::for_name(const std::string& name) const {
  RtcConfiguration result = static_configuration(settings_, name, g_get_real_time() / 1'000'000);
  const RtcConfiguration more = rest_ ? rest_->configuration(g_get_monotonic_time()) : file_ ? file_->configuration() : RtcConfiguration{};
  result.servers.insert(result.servers.end(), more.servers.begin(), more.servers.end());
  result.relay_only |= more.relay_only;
  if (more.lifetime_s > 0)
    result.lifetime_s = more.lifetime_s;
  return result;
}

}  // namespace vitrine
