// SPDX-License-Identifier: LGPL-2.1-or-later
// Asking TURN servers, and the service that names them, as a session would; and what their answers mean. In English, as the whole report.
#include "doctor-relays.h"

#include <algorithm>
#include <chrono>

#include "turn-options.h"
#include "webrtc/services/debug-category.h"
#include "webrtc/turn/ice-server-store.h"
#include "webrtc/turn/relay-check.h"
#include "webrtc/turn/turn-allocation.h"

namespace vitrine {
namespace {

/// For the service that is asked first, and then for all TURN servers together.
constexpr std::chrono::seconds kPatience{5};

std::string patience_text() { return "within " + std::to_string(kPatience.count()) + " s"; }

/// Waits until the service has answered, it is clear that it will not, or time is up.
void wait_for_service(const IceServerStore& store) {
  bool late = false;
  const auto timer = Ref<GSource>::adopt(g_timeout_source_new_seconds(static_cast<guint>(kPatience.count())));
  g_source_set_callback(
      timer.get(),
      [](gpointer over) -> gboolean {
        *static_cast<bool*>(over) = true;
        return G_SOURCE_REMOVE;
      },
      &late, nullptr);
  g_source_attach(timer.get(), nullptr);
  while (!late && !store.ready() && store.problem().empty())
    g_main_context_iteration(nullptr, TRUE);
  g_source_destroy(timer.get());
}

std::string refusal(const RelayCheck& check, const TurnSettings& turn) {
  const std::string number = " (" + std::to_string(check.error) + ")";
  const std::string where = !turn.rest_uri.empty()          ? "those that turn-rest-uri gives"
                            : !turn.rtc_config_file.empty() ? "those in rtc-config-file"
                            : !turn.shared_secret.empty()   ? "turn-shared-secret, and the clocks of both machines"
                                                            : "turn-user and turn-password";
  switch (check.error) {
    case TurnAllocation::kUnauthorised:
      return "refuses the credentials" + number + ": check " + where;
    case TurnAllocation::kForbidden:
      return "forbids it" + number + ": the credentials are right, but not enough, or it does not serve this address";
    case TurnAllocation::kQuotaReached:
      return "gives no more relays to this user" + number;
    case TurnAllocation::kFull:
      return "has no relay left" + number;
    default:
      return "answers with error " + std::to_string(check.error);
  }
}

std::string unreachable(const RelayCheck& check) {
  const std::string more = check.wire.why.empty() ? "" : ": " + check.wire.why;
  switch (check.wire.end) {
    case WireEnd::silent:
      return "does not answer " + patience_text() + ": it is down, or a firewall is between";
    case WireEnd::no_route:
      return "cannot be reached: there is no route to it";
    case WireEnd::refused:
      return "refuses the connection: nothing listens there";
    case WireEnd::closed:
      return "ends the connection at once: no TURN server, or one that does not take us";
    case WireEnd::wrong_protocol:
      return "is no TURN server, by what it answers";
    case WireEnd::bad_certificate:
      return "has a certificate that is not accepted" + more;
    case WireEnd::no_tls:
      return "does not speak TLS as it should" + more;
    default:
      return "cannot be asked" + more;
  }
}

std::string outcome(const RelayCheck& check, const TurnSettings& turn) {
  switch (check.end) {
    case RelayCheck::End::relay:
      return std::string("gives a relay, ") + (check.relay->is_v4() ? "IPv4" : "IPv6");
    case RelayCheck::End::no_such_name:
      return "its name does not resolve: " + check.why;
    case RelayCheck::End::unreachable:
      return unreachable(check);
    case RelayCheck::End::refused:
      return refusal(check, turn);
    case RelayCheck::End::not_asked:
      break;
  }
  return "not asked: there are more than " + std::to_string(RelayCheck::kServersMost);
}

/// A server that gives a relay at one of its addresses is there; the others are worth a word, unless they are of a kind that we do not have.
std::vector<RelayReport::Finding> findings_of(const std::vector<RelayCheck>& checks, const TurnSettings& turn) {
  std::vector<RelayReport::Finding> findings;
  for (const auto& check : checks) {
    const bool good = check.end == RelayCheck::End::relay;
    const bool good_elsewhere = std::any_of(checks.begin(), checks.end(), [&](const RelayCheck& other) {
      return other.url == check.url && other.end == RelayCheck::End::relay;
    });
    if (!good && good_elsewhere && check.wire.end == WireEnd::no_route)
      continue;
    const bool named = !check.address.empty() && check.address != check.url.host;
    const Verdict verdict = good ? Verdict::good : good_elsewhere || check.end == RelayCheck::End::not_asked ? Verdict::warning : Verdict::bad;
    findings.push_back({verdict, to_string(check.url) + (named ? " at " + check.address : "") + " " + outcome(check, turn)});
  }
  return findings;
}

}  // namespace

RelayReport report_relays(const Settings& settings) {
  RelayReport report;
  init_debug_category();
  IceServerStore store(all_turn_servers(settings));
  const TurnSettings& turn = store.settings();
  std::string error;
  if (!store.load(error)) {
    report.findings.push_back({Verdict::bad, error});
    report.session_starts = false;
    return report;
  }
  if (!turn.any_turn())
    return report;
  store.start([] {});
  if (!turn.rest_uri.empty()) {
    wait_for_service(store);
    const std::string service = "turn-rest-uri " + shown_value(*find_option("turn-rest-uri"), turn.rest_uri);
    if (!store.ready()) {
      report.findings.push_back({Verdict::bad, service + ": " + (store.problem().empty() ? "it does not answer " + patience_text() : store.problem())});
      return report;
    }
    report.findings.push_back({Verdict::good, service + " answers"});
  }
  const auto configuration = store.for_name("doctor");
  const auto found = findings_of(check_relays(configuration, turn.tls_ca_file, kPatience), turn);
  report.findings.insert(report.findings.end(), found.begin(), found.end());
  if (!configuration.has_turn())
    report.findings.push_back({Verdict::warning, std::string(turn.rest_uri.empty() ? "rtc-config-file" : "turn-rest-uri") + " names no TURN server"});
  return report;
}

}  // namespace vitrine
