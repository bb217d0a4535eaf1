// SPDX-License-Identifier: LGPL-2.1-or-later
// Who may come in: accounts, session cookies, and throttling of failures. The caller brings the time. Passwords appear in no log.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vitrine {

enum class Role { view, control };
const char* to_string(Role role);

struct Identity {
  std::string account;
  Role role = Role::view;
};

/// Accounts and their passwords. Not thread-safe.
class Accounts {
 public:
  /// `password` is plain text, or a crypt(5) hash when it starts with '$'. False, with `error` set, if it starts so and is no hash.
  bool add(const std::string& name, const std::string& password, Role role, std::string& error);
  /// Reads lines `name:password:role` (the password may hold colons; '#' starts a comment line), each name once. On an error
  /// nothing is added and `error` says file, line and what is wrong.
  bool load(const std::string& path, std::string& error);
  bool empty() const { return accounts_.empty(); }
  std::optional<Identity> check(const std::string& name, const std::string& password) const;
  /// Whether whoever has come in by this name could do so by `other` too, with the same password and into the same role.
  bool agrees(const Accounts& other, const std::string& name) const;
  /// Who has this password, if it is long enough to say so by itself and kept as it is: hashes of all accounts would take too long.
  std::optional<Identity> check_token(const std::string& token) const;
  static constexpr size_t kTokenLeast = 16;

 private:
  struct Account {
    std::string name, password;
    Role role;
    bool operator==(const Account&) const = default;
  };
  const Account* find(const std::string& name) const;
  std::vector<Account> accounts_;
};

/// Random session tokens for cookies. Bounded; the one that was not used for the longest makes room. Who comes with the same
/// credentials gets the same session: programs that keep no cookies do not fill the table, and their password is hashed once. Not
/// thread-safe.
class Sessions {
 public:
  Sessions();
  static constexpr size_t kMax = 4096;
  static constexpr int64_t kIdleUs = int64_t{24} * 3600 * 1'000'000;

  /// Opens a session for `credentials`, which have been checked; returns its token.
  std::string open(const Identity& identity, const std::string& credentials, int64_t now_us);
  /// The token of the session that was opened with exactly these credentials, empty if there is none.
  std::string token_of(const std::string& credentials, int64_t now_us);
  std::optional<Identity> find(const std::string& token, int64_t now_us);
  /// Ends the sessions of all other accounts.
  void keep(const std::function<bool(const std::string& account)>& stays);

 private:
  struct Session {
    Identity identity;
    std::string key;  // of tokens_
    int64_t used_us;
  };
  std::string key_of(const std::string& credentials) const;
  void erase(std::map<std::string, Session>::iterator session);

  const std::string secret_;
  std::map<std::string, Session> sessions_;
  std::map<std::string, std::string> tokens_;  // by a keyed hash of the credentials
};

/// Slows down guessing: after kFree failures an address has to wait, twice as long after each further one. A right password in
/// between changes nothing, or who has one account could guess at the others. The addresses of an IPv6 /64 count as one: that much
/// belongs to everybody who has any; and those of a /48, which is one customer's, after kFreeOfSite. Not thread-safe.
class FailureThrottle {
 public:
  static constexpr int kFree = 5, kFreeOfSite = 40;
  static constexpr size_t kMaxAddresses = 4096;
  static constexpr int64_t kForgetUs = int64_t{15} * 60 * 1'000'000;

  /// Seconds that this address has to wait yet, 0 if it may try.
  int wait_seconds(const std::string& address, int64_t now_us);
  void failed(const std::string& address, int64_t now_us);

 private:
  /// Who is counted for this address, and how many failures are free.
  static std::vector<std::pair<std::string, int>> counted(const std::string& address);
  int wait_of(const std::string& network, int64_t now_us);

  struct Failures {
    int count = 0;
    int64_t last_us = 0, until_us = 0;
  };
  std::map<std::string, Failures> failures_;
};

/// `n` random bytes as hexadecimal text, from the kernel.
std::string random_hex(size_t n);

/// Value of cookie `name` in a Cookie header.
std::string cookie_value(const std::string& header, const std::string& name);

}  // namespace vitrine
