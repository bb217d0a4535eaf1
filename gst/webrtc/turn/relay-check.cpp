// SPDX-License-Identifier: LGPL-2.1-or-later
// A thread for each address of each server: there are few, and waiting is all that they do.
#include "webrtc/turn/relay-check.h"

#include <algorithm>
#include <future>
#include <random>

#include "webrtc/turn/turn-allocation.h"

namespace vitrine {
namespace {

struct Question {
  IceUrl url;
  std::string username, credential;
};

StunTransaction random_transaction() {
  std::random_device random;
  StunTransaction transaction;
  std::generate(transaction.begin(), transaction.end(), [&] { return static_cast<uint8_t>(random()); });
  return transaction;
}

std::vector<Question> questions_of(const RtcConfiguration& configuration) {
  std::vector<Question> questions;
  for (const auto& server : configuration.servers)
    for (const auto& url : server.urls)
      if (url.turn)
        questions.push_back({url, server.username, server.credential});
  return questions;
}

RelayCheck ask(const Question& question, GInetAddress* ip, GTlsDatabase* database, GCancellable* cancel) {
  RelayCheck check;
  check.url = question.url;
  const GCharPtr text(g_inet_address_to_string(ip));
  check.address = text.get();
  check.end = RelayCheck::End::unreachable;
  const auto address = Ref<GSocketAddress>::adopt(g_inet_socket_address_new(ip, static_cast<guint16>(question.url.port)));
  const auto wire = open_turn_wire(question.url, address.get(), database, cancel, check.wire);
  if (!wire)
    return check;
  TurnAllocation allocation(question.username, question.credential, random_transaction);
  const auto take = [&](std::span<const uint8_t> packet) { return allocation.take(packet); };
  while (!allocation.done() && check.wire.end == WireEnd::answered)
    check.wire = wire->ask(std::vector(allocation.request()), take);
  if (!allocation.done())
    return check;
  check.end = allocation.relay() ? RelayCheck::End::relay : RelayCheck::End::refused;
  check.relay = allocation.relay();
  check.error = allocation.error();
  if (check.relay) {
    allocation.release();
    wire->ask(std::vector(allocation.request()), take);
  }
  return check;
}

/// At all addresses of one server.
std::vector<RelayCheck> ask_everywhere(const Question& question, GTlsDatabase* database, GCancellable* cancel) {
  ErrorSlot error;
  const auto resolver = Ref<GResolver>::adopt(g_resolver_get_default());
  GList* found = g_resolver_lookup_by_name(resolver.get(), question.url.host.c_str(), cancel, error.out());
  std::vector<Ref<GInetAddress>> addresses;
  for (GList* each = found; each && addresses.size() < RelayCheck::kAddressesMost; each = each->next)
    addresses.push_back(Ref<GInetAddress>::share(static_cast<GInetAddress*>(each->data)));
  g_resolver_free_addresses(found);
  if (addresses.empty()) {
    RelayCheck check;
    check.url = question.url;
    check.end = RelayCheck::End::no_such_name;
    check.why = g_cancellable_is_cancelled(cancel) ? "no name server answers" : error.message();
    return {check};
  }
  std::vector<std::future<RelayCheck>> asked;
  for (const auto& ip : addresses)
    asked.push_back(std::async(std::launch::async, [&question, database, cancel, ip = ip.get()] { return ask(question, ip, database, cancel); }));
  std::vector<RelayCheck> checks;
  for (auto& each : asked)
    checks.push_back(each.get());
  return checks;
}

}  // namespace

std::vector<RelayCheck> check_relays(const RtcConfiguration& configuration, const std::string& ca_file, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const auto questions = questions_of(configuration);
  const auto cancel = Ref<GCancellable>::adopt(g_cancellable_new());
  const auto database = Ref<GTlsDatabase>::adopt(ca_file.empty() ? nullptr : g_tls_file_database_new(ca_file.c_str(), nullptr));
  std::vector<std::future<std::vector<RelayCheck>>> asked;
  for (size_t i = 0; i < std::min(questions.size(), RelayCheck::kServersMost); ++i)
    asked.push_back(std::async(std::launch::async, [&question = questions[i], &database, &cancel] {
      return ask_everywhere(question, database.get(), cancel.get());
    }));
  for (const auto& each : asked)
    each.wait_until(deadline);
  g_cancellable_cancel(cancel.get());
  std::vector<RelayCheck> checks;
  for (auto& each : asked)
    for (auto& check : each.get())
      checks.push_back(std::move(check));
  for (size_t i = RelayCheck::kServersMost; i < questions.size(); ++i) {
    checks.emplace_back();
    checks.back().url = questions[i].url;
  }
  return checks;
}

}  // namespace vitrine
