// SPDX-License-Identifier: LGPL-2.1-or-later
// Accounts, sessions, throttling.
#include "webrtc/accounts.h"

#include <arpa/inet.h>
#include <crypt.h>
#include <glib.h>
#include <netinet/in.h>
#include <sys/random.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <stdexcept>

namespace vitrine {
namespace {

/// Takes the same time whatever the contents: digests are compared, not the strings.
bool equal_secret(const std::string& a, const std::string& b) {
  const auto digest = [](const std::string& text) {
    char* sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, reinterpret_cast<const guchar*>(text.data()), text.size());
    std::string result = sum;
    g_free(sum);
    return result;
  };
  const std::string da = digest(a), db = digest(b);
  unsigned difference = 0;
  for (size_t i = 0; i < da.size(); ++i)
    difference |= static_cast<unsigned>(da[i] ^ db[i]);
  return difference == 0;
}

bool password_fits(const std::string& stored, const std::string& given) {
  // crypt(5) would stop at a NUL and take what follows for right.
  if (stored.empty() || given.find('\0') != std::string::npos)
    return false;
  if (stored[0] != '$')
    return equal_secret(stored, given);
  auto data = std::make_unique<crypt_data>();
  const char* hashed = crypt_r(given.c_str(), stored.c_str(), data.get());
  return hashed && hashed[0] == '$' && equal_secret(stored, hashed);
}

bool is_hash(const std::string& password) {
#ifdef CRYPT_SALT_OK  // libxcrypt
  const int quality = crypt_checksalt(password.c_str());
  return quality != CRYPT_SALT_INVALID && quality != CRYPT_SALT_METHOD_DISABLED;
#else
  return password.find('$', 1) != std::string::npos;
#endif
}

/// What is wrong with a password of an account; null if nothing.
const char* password_error(const std::string& password) {
  if (password.empty())
    return "the password is empty";
  if (password[0] == '$' && !is_hash(password))
    return "the password starts with '$' but is no hash that crypt(5) knows";
  return nullptr;
}

}  // namespace

const char* to_string(Role role) { return role == Role::control ? "control" : "view"; }

bool Accounts::add(const std::string& name, const std::string& password, Role role, std::string& error) {
  if (const char* wrong = password_error(password)) {
    error = wrong;
    return false;
  }
  accounts_.push_back({name, password, role});
  return true;
}

bool Accounts::load(const std::string& path, std::string& error) {
  std::ifstream file(path);
  if (!file) {
    error = path + ": cannot be read";
    return false;
  }
  std::vector<Account> found;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (number == 1 && line.starts_with("\xef\xbb\xbf"))
      line.erase(0, 3);  // a byte order mark, from Windows editors
    if (!line.empty() && line.back() == '\r')
      line.pop_back();
    if (line.empty() || line[0] == '#')
      continue;
    const auto fail = [&](const char* what) {
      error = path + ":" + std::to_string(number) + ": " + what;
      return false;
    };
    const size_t first = line.find(':'), last = line.rfind(':');
    if (first == std::string::npos || first == last)
      return fail("expected name:password:role");
    const std::string name = line.substr(0, first), role = line.substr(last + 1);
    const std::string password = line.substr(first + 1, last - first - 1);
    if (name.empty())
      return fail("the name is empty");
    if (role != "control" && role != "view")
      return fail("the role must be 'control' or 'view'");
    if (const char* wrong = password_error(password))
      return fail(wrong);
    if (std::any_of(found.begin(), found.end(), [&](const Account& account) { return account.name == name; }))
      return fail("the name was used before");
    found.push_back({name, password, role == "control" ? Role::control : Role::view});
  }
  if (file.bad()) {  // a folder, or a disk that fails
    error = path + ": cannot be read";
    return false;
  }
  accounts_.insert(accounts_.end(), found.begin(), found.end());
  return true;
}

const Accounts::Account* Accounts::find(const std::string& name) const {
  const auto found = std::find_if(accounts_.begin(), accounts_.end(), [&](const Account& account) { return account.name == name; });
  return found == accounts_.end() ? nullptr : &*found;
}

bool Accounts::agrees(const Accounts& other, const std::string& name) const {
  const Account* here = find(name);
  const Account* there = other.find(name);
  return here && there && *here == *there;
}

std::optional<Identity> Accounts::check(const std::string& name, const std::string& password) const {
  // All names are looked at, and for an unknown one some password is checked all the same, so that the time taken does not tell
  // which names exist. Hashes are slow, so no more than one is computed.
  const Account* known = nullptr;
  for (const auto& account : accounts_)
    if (equal_secret(account.name, name) && !known)
      known = &account;
  if (accounts_.empty())
    return std::nullopt;
  const Account& account = known ? *known : accounts_.front();
  if (!password_fits(account.password, password) || !known)
    return std::nullopt;
  return Identity{account.name, account.role};
}

std::optional<Identity> Accounts::check_token(const std::string& token) const {
  const Account* known = nullptr;
  for (const auto& account : accounts_)
    if (account.password[0] != '$' && equal_secret(account.password, token) && !known)
      known = &account;
  return known && token.size() >= kTokenLeast ? std::optional(Identity{known->name, known->role}) : std::nullopt;
}

Sessions::Sessions() : secret_(random_hex(32)) {}

std::string Sessions::key_of(const std::string& credentials) const {
  char* sum = g_compute_hmac_for_data(G_CHECKSUM_SHA256, reinterpret_cast<const guchar*>(secret_.data()), secret_.size(),
                                      reinterpret_cast<const guchar*>(credentials.data()), credentials.size());
  std::string key = sum;
  g_free(sum);
  return key;
}

void Sessions::erase(std::map<std::string, Session>::iterator session) {
  tokens_.erase(session->second.key);
  sessions_.erase(session);
}

std::string Sessions::open(const Identity& identity, const std::string& credentials, int64_t now_us) {
  const std::string key = key_of(credentials);
  if (const auto before = tokens_.find(key); before != tokens_.end())
    erase(sessions_.find(before->second));
  if (sessions_.size() >= kMax)
    erase(std::min_element(sessions_.begin(), sessions_.end(),
                           [](const auto& a, const auto& b) { return a.second.used_us < b.second.used_us; }));
  const std::string token = random_hex(32);
  sessions_[token] = {identity, key, now_us};
  tokens_[key] = token;
  return token;
}

std::string Sessions::token_of(const std::string& credentials, int64_t now_us) {
  const auto found = tokens_.find(key_of(credentials));
  if (found == tokens_.end())
    return "";
  const std::string token = found->second;
  return find(token, now_us) ? token : "";
}

std::optional<Identity> Sessions::find(const std::string& token, int64_t now_us) {
  auto found = sessions_.find(token);
  if (found == sessions_.end())
    return std::nullopt;
  if (now_us - found->second.used_us > kIdleUs) {
    erase(found);
    return std::nullopt;
  }
  found->second.used_us = now_us;
  return found->second.identity;
}

void Sessions::keep(const std::function<bool(const std::string& account)>& stays) {
  for (auto session = sessions_.begin(); session != sessions_.end();) {
    const auto next = std::next(session);
    if (!stays(session->second.identity.account))
      erase(session);
    session = next;
  }
}

std::vector<std::pair<std::string, int>> FailureThrottle::counted(const std::string& address) {
  in6_addr ip;
  char text[INET6_ADDRSTRLEN];
  if (inet_pton(AF_INET6, address.substr(0, address.find('%')).c_str(), &ip) != 1)
    return {{address, kFree}};
  if (IN6_IS_ADDR_V4MAPPED(&ip))
    return {{inet_ntop(AF_INET, &ip.s6_addr[12], text, sizeof text), kFree}};
  std::vector<std::pair<std::string, int>> networks;
  for (const auto& [bytes, free] : {std::pair(8, kFree), std::pair(6, kFreeOfSite)}) {
    std::fill(ip.s6_addr + bytes, ip.s6_addr + 16, uint8_t{0});
    networks.emplace_back(std::string(inet_ntop(AF_INET6, &ip, text, sizeof text)) + "/" + std::to_string(8 * bytes), free);
  }
  return networks;
}

int FailureThrottle::wait_seconds(const std::string& address, int64_t now_us) {
  int longest = 0;
  for (const auto& [network, free] : counted(address))
    longest = std::max(longest, wait_of(network, now_us));
  return longest;
}

int FailureThrottle::wait_of(const std::string& network, int64_t now_us) {
  const auto found = failures_.find(network);
  if (found == failures_.end())
    return 0;
  if (now_us - found->second.last_us > kForgetUs) {
    failures_.erase(found);
    return 0;
  }
  const int64_t left = found->second.until_us - now_us;
  return left <= 0 ? 0 : static_cast<int>((left + 999'999) / 1'000'000);
}

void FailureThrottle::failed(const std::string& address, int64_t now_us) {
  for (const auto& [network, free] : counted(address)) {
    if (failures_.size() >= kMaxAddresses && !failures_.contains(network))
      failures_.erase(std::min_element(failures_.begin(), failures_.end(), [](const auto& a, const auto& b) {
        return a.second.last_us < b.second.last_us;
      }));
    Failures& failures = failures_[network];
    failures.last_us = now_us;
    if (++failures.count > free)
      failures.until_us = now_us + (int64_t{1} << std::min(failures.count - free - 1, 6)) * 1'000'000;
  }
}

std::string random_hex(size_t n) {
  std::vector<unsigned char> bytes(n);
  if (getrandom(bytes.data(), n, 0) != static_cast<ssize_t>(n))
    throw std::runtime_error("getrandom() failed");
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string cookie_value(const std::string& header, const std::string& name) {
  size_t start = 0;
  while (start < header.size()) {
    size_t end = header.find(';', start);
    if (end == std::string::npos)
      end = header.size();
    size_t begin = header.find_first_not_of(' ', start);
    if (begin < end && header.compare(begin, name.size() + 1, name + "=") == 0)
      return header.substr(begin + name.size() + 1, end - begin - name.size() - 1);
    start = end + 1;
  }
  return "";
}

}  // namespace vitrine
