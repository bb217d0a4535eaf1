// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading what proxies say.
#include "webrtc/forwarded.h"

#include <arpa/inet.h>
#include <string.h>

#include <algorithm>

#include "webrtc/candidates.h"
#include "webrtc/turn/ice-url.h"

namespace vitrine {
namespace {

using Address = std::array<uint8_t, 16>;

std::optional<Address> parse_ip(const std::string& text, bool& v4) {
  Address address{};
  v4 = false;
  if (text.find('\0') != std::string::npos)
    return std::nullopt;
  if (inet_pton(AF_INET6, text.c_str(), address.data()) == 1)
    return address;
  address[10] = address[11] = 0xff;
  v4 = true;
  return inet_pton(AF_INET, text.c_str(), address.data() + 12) == 1 ? std::optional(address) : std::nullopt;
}

/// One entry of X-Forwarded-For without the port that some proxies add; empty if it is no address.
std::string address_of(const std::string& entry) {
  bool v4;
  if (parse_ip(entry, v4))
    return entry;
  const auto with_port = parse_host_port(entry);
  return with_port && parse_ip(with_port->host, v4) ? with_port->host : "";
}

std::string last_of(const std::string& list) {
  const auto words = split_list(list);
  return words.empty() ? "" : words.back();
}

}  // namespace

std::optional<TrustedProxies> TrustedProxies::parse(const std::string& list, std::string& error) {
  TrustedProxies result;
  for (const auto& word : split_list(list)) {
    const size_t slash = word.find('/');
    bool v4;
    const auto address = parse_ip(word.substr(0, slash), v4);
    int bits = 128;
    bool good = address.has_value();
    if (good && slash != std::string::npos) {
      const std::string count = word.substr(slash + 1);
      good = !count.empty() && count.size() <= 3 && count.find_first_not_of("0123456789") == std::string::npos &&
             std::stoi(count) <= (v4 ? 32 : 128);
      if (good)
        bits = std::stoi(count) + (v4 ? 96 : 0);
    }
    if (!good) {
      error = "'" + word + "' is no IP address or network like 10.0.0.0/8";
      return std::nullopt;
    }
    result.networks_.push_back({*address, bits});
  }
  return result;
}

bool TrustedProxies::trusts(const std::string& ip) const {
  bool v4;
  const auto address = parse_ip(ip, v4);
  return address && std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    const size_t whole = static_cast<size_t>(network.bits / 8);
    if (memcmp(address->data(), network.address.data(), whole) != 0)
      return false;
    const int rest = network.bits % 8;
    return rest == 0 || ((*address)[whole] ^ network.address[whole]) >> (8 - rest) == 0;
  });
}

RequestOrigin request_origin(const TrustedProxies& proxies, const RequestOrigin& direct, const ForwardedHeaders& headers) {
  RequestOrigin result = direct;
  if (!proxies.trusts(direct.remote))
    return result;
  // Each proxy appends whom it was asked by: from the end on, the first that is no proxy of ours.
  const auto chain = split_list(headers.forwarded_for);
  for (auto entry = chain.rbegin(); entry != chain.rend(); ++entry) {
    const std::string ip = address_of(*entry);
    if (ip.empty())
      break;
    result.remote = ip;
    if (!proxies.trusts(ip))
      break;
  }
  const std::string proto = last_of(headers.proto);
  if (proto == "https" || proto == "wss")
    result.secure = true;
  else if (proto == "http" || proto == "ws")
    result.secure = false;
  if (const std::string host = last_of(headers.host); parse_host_port(host)) {
    result.host = host;
    const std::string port = last_of(headers.port);
    if (parse_host_port(host)->port == 0 && !port.empty() && port != (result.secure ? "443" : "80") && parse_host_port(host + ":" + port))
      result.host += ":" + port;
  }
  return result;
}

}  // namespace vitrine
