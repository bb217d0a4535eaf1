// SPDX-License-Identifier: LGPL-2.1-or-later
#include "webrtc/accounts.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <crypt.h>
#include <cstdlib>
#include <ctime>
#include <fstream>

namespace vitrine {
namespace {

class AccountsFile : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/vitrine-accounts-XXXXXX";
    close(mkstemp(name));
    path = name;
  }
  void TearDown() override { unlink(path.c_str()); }
  bool load(const std::string& text) {
    std::ofstream(path) << text;
    return accounts.load(path, error);
  }
  std::string path, error;
  Accounts accounts;
};

void add(Accounts& accounts, const std::string& name, const std::string& password, Role role) {
  std::string error;
  EXPECT_TRUE(accounts.add(name, password, role, error)) << error;
}

TEST(Accounts, LetInWhoKnowsThePassword) {
  Accounts accounts;
  EXPECT_TRUE(accounts.empty());
  add(accounts, "user", "secret", Role::control);
  add(accounts, "guest", "look", Role::view);
  EXPECT_EQ(accounts.check("user", "secret")->role, Role::control);
  EXPECT_EQ(accounts.check("guest", "look")->role, Role::view);
  for (const auto& [name, password] : {std::pair{"user", "look"}, {"user", ""}, {"", "secret"}, {"User", "secret"}, {"user", "secret "}})
    EXPECT_FALSE(accounts.check(name, password)) << name << " " << password;
}

TEST(Accounts, UnderstandHashes) {
  crypt_data data{};
  const std::string hash = crypt_r("secret", "$6$saltsalt$", &data);
  Accounts accounts;
  add(accounts, "user", hash, Role::control);
  EXPECT_TRUE(accounts.check("user", "secret"));
  EXPECT_FALSE(accounts.check("user", "wrong"));
  EXPECT_FALSE(accounts.check("user", hash));
}

TEST(Accounts, AHashThatCryptDoesNotKnowIsNamed) {
  Accounts accounts;
  std::string error;
  for (const char* wrong : {"$nonsense$x", "$ecret", ""}) {
    error.clear();
    EXPECT_FALSE(accounts.add("user", wrong, Role::control, error));
    EXPECT_FALSE(error.empty());
    EXPECT_EQ(error.find("ecret"), std::string::npos) << "a password is not repeated";
  }
  EXPECT_TRUE(accounts.empty());
}

TEST(Accounts, UnderstandEveryKindOfHashThatCryptHas) {
  int known = 0;
  for (const char* setting : {"$6$rounds=1000$saltsalt$", "$2b$04$abcdefghijklmnopqrstuu", "$y$j75$saltsaltsaltsalt$"}) {
    crypt_data data{};
    const char* hashed = crypt_r("pass:wörd", setting, &data);
    if (!hashed || hashed[0] != '$')
      continue;
    ++known;
    Accounts accounts;
    add(accounts, "user", hashed, Role::view);
    EXPECT_TRUE(accounts.check("user", "pass:wörd")) << setting;
    EXPECT_FALSE(accounts.check("user", "pass:word")) << setting;
    EXPECT_FALSE(accounts.check("user", "")) << setting;
  }
  EXPECT_GE(known, 1);
}

TEST(Accounts, NothingHidesBehindANul) {
  crypt_data data{};
  Accounts accounts;
  add(accounts, "hashed", crypt_r("secret", "$6$rounds=1000$saltsalt$", &data), Role::control);
  add(accounts, "plain", "secret", Role::control);
  const std::string longer("secret\0more", 11);
  EXPECT_FALSE(accounts.check("hashed", longer));
  EXPECT_FALSE(accounts.check("plain", longer));
}

// Processor time of this thread, for a hash that takes some 100 times as long as all the rest.
TEST(Accounts, AnUnknownNameTakesAsLongAsAKnownOne) {
  crypt_data data{};
  Accounts accounts;
  add(accounts, "user", crypt_r("secret", "$6$rounds=20000$saltsalt$", &data), Role::control);
  const auto time_of = [&](const char* name) {
    timespec start, end;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    EXPECT_FALSE(accounts.check(name, "wrong"));
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    return (end.tv_sec - start.tv_sec) * 1e9 + static_cast<double>(end.tv_nsec - start.tv_nsec);
  };
  time_of("user");
  EXPECT_GT(time_of("nobody"), time_of("user") / 10);
}

TEST_F(AccountsFile, IsRead) {
  ASSERT_TRUE(load("# who may\n\nuser:pass:word:control\r\nguest:look:view\n")) << error;
  EXPECT_TRUE(accounts.check("user", "pass:word"));
  EXPECT_EQ(accounts.check("guest", "look")->role, Role::view);
}

TEST_F(AccountsFile, ErrorsNameFileAndLineAndNotThePassword) {
  const std::pair<const char*, const char*> bad[] = {
      {"user:topsecret\n", ":1: expected name:password:role"},
      {"a:b:view\nuser:topsecret:admin\n", ":2: the role must be"},
      {":topsecret:view\n", ":1: the name is empty"},
      {"user::view\n", ":1: the password is empty"},
      {"# two\nuser:topsecret:view\nuser:other:control\n", ":3: the name was used before"},
      {"user:$topsecret:view\n", ":1: the password starts with '$' but is no hash"},
      {"user:$6$topsecret:view:extra\n", ":1: the role must be"},
  };
  for (const auto& [text, reason] : bad) {
    accounts = {};
    EXPECT_FALSE(load(text));
    EXPECT_NE(error.find(path + reason), std::string::npos) << error;
    EXPECT_EQ(error.find("topsecret"), std::string::npos);
    EXPECT_TRUE(accounts.empty()) << "a bad file adds nobody";
  }
  EXPECT_FALSE(accounts.load("/nonexistent", error));
  EXPECT_NE(error.find("/nonexistent"), std::string::npos);
}

TEST_F(AccountsFile, MayBeginWithAByteOrderMark) {
  ASSERT_TRUE(load("\xef\xbb\xbfuser:secret:view\r\n")) << error;
  EXPECT_TRUE(accounts.check("user", "secret"));
}

TEST_F(AccountsFile, AFolderIsNoFile) {
  EXPECT_FALSE(accounts.load("/tmp", error));
  EXPECT_EQ(error, "/tmp: cannot be read");
}

TEST_F(AccountsFile, AHashIsRead) {
  crypt_data data{};
  ASSERT_TRUE(load("user:" + std::string(crypt_r("secret", "$6$rounds=1000$saltsalt$", &data)) + ":control\n")) << error;
  EXPECT_TRUE(accounts.check("user", "secret"));
}

TEST(Accounts, AgreeOnWhoIsAsBefore) {
  Accounts before, after;
  std::string error;
  for (const char* name : {"stays", "password", "role", "gone"})
    before.add(name, "sesame", Role::control, error);
  after.add("stays", "sesame", Role::control, error);
  after.add("password", "open", Role::control, error);
  after.add("role", "sesame", Role::view, error);
  after.add("new", "sesame", Role::control, error);
  EXPECT_TRUE(before.agrees(after, "stays"));
  for (const char* name : {"password", "role", "gone", "new", "nobody"})
    EXPECT_FALSE(before.agrees(after, name)) << name;
}

TEST(Sessions, EndWithTheirAccounts) {
  Sessions sessions;
  const std::string stays = sessions.open({"joe", Role::view}, "joe:sesame", 0), goes = sessions.open({"ann", Role::view}, "ann:sesame", 0);
  sessions.keep([](const std::string& account) { return account == "joe"; });
  EXPECT_TRUE(sessions.find(stays, 1));
  EXPECT_FALSE(sessions.find(goes, 1));
  EXPECT_EQ(sessions.token_of("joe:sesame", 1), stays);
  EXPECT_EQ(sessions.token_of("ann:sesame", 1), "");
}

TEST(Sessions, AreFoundUntilTheyIdleTooLong) {
  Sessions sessions;
  const std::string token = sessions.open({"user", Role::control}, "credentials", 1000);
  EXPECT_EQ(token.size(), 64u);
  EXPECT_EQ(sessions.find(token, 2000)->account, "user");
  EXPECT_FALSE(sessions.find("", 2000));
  EXPECT_FALSE(sessions.find(token + "0", 2000));
  EXPECT_TRUE(sessions.find(token, 1000 + Sessions::kIdleUs));
  EXPECT_FALSE(sessions.find(token, 2000 + 3 * Sessions::kIdleUs));
}

TEST(Sessions, TheOldestMakesRoom) {
  Sessions sessions;
  const std::string first = sessions.open({"user", Role::view}, "first", 1);
  std::string last;
  for (size_t i = 0; i < Sessions::kMax; ++i)
    last = sessions.open({"user", Role::view}, std::to_string(i), static_cast<int64_t>(i) + 2);
  EXPECT_FALSE(sessions.find(first, 5000));
  EXPECT_TRUE(sessions.find(last, 5000));
}

TEST(Sessions, TheSameCredentialsComeBackToTheSameSession) {
  Sessions sessions;
  EXPECT_EQ(sessions.token_of("a", 1), "");
  const std::string a = sessions.open({"user", Role::control}, "a", 1), b = sessions.open({"guest", Role::view}, "b", 1);
  EXPECT_EQ(sessions.token_of("a", 2), a);
  EXPECT_EQ(sessions.token_of("b", 2), b);
  EXPECT_EQ(sessions.token_of("", 2), "");
  EXPECT_EQ(sessions.token_of("a", 3 + Sessions::kIdleUs), "") << "an idle session ends for its credentials too";
  const std::string again = sessions.open({"user", Role::control}, "a", 4);
  const std::string opened_twice = sessions.open({"user", Role::control}, "a", 5);
  EXPECT_FALSE(sessions.find(again, 6));
  EXPECT_EQ(sessions.token_of("a", 6), opened_twice);
}

TEST(Accounts, ALongPasswordIsATokenToo) {
  Accounts accounts;
  std::string error;
  ASSERT_TRUE(accounts.add("short", "fifteen-letters", Role::control, error));
  ASSERT_TRUE(accounts.add("hashed", "$1$abc$BXBqpb9BZcZhXLgbee.0s/", Role::control, error)) << error;
  ASSERT_TRUE(accounts.add("wall", "abcd-efgh-jklm-npqr", Role::view, error));
  const auto known = accounts.check_token("abcd-efgh-jklm-npqr");
  ASSERT_TRUE(known);
  EXPECT_EQ(known->account, "wall");
  EXPECT_EQ(known->role, Role::view);
  for (const char* wrong : {"", "fifteen-letters", "abcd-efgh-jklm-npq", "$1$abc$BXBqpb9BZcZhXLgbee.0s/"})
    EXPECT_FALSE(accounts.check_token(wrong)) << wrong;
  EXPECT_FALSE(Accounts().check_token("abcd-efgh-jklm-npqr"));
}

TEST(FailureThrottle, LetsAFewThenWaitsLongerAndLonger) {
  FailureThrottle throttle;
  int64_t now = 1'000'000;
  for (int i = 0; i < FailureThrottle::kFree; ++i) {
    EXPECT_EQ(throttle.wait_seconds("a", now), 0);
    throttle.failed("a", now);
  }
  EXPECT_EQ(throttle.wait_seconds("a", now), 0);
  int last = 0;
  for (int i = 0; i < 8; ++i) {
    throttle.failed("a", now);
    const int wait = throttle.wait_seconds("a", now);
    EXPECT_GE(wait, last);
    last = wait;
    now += int64_t{wait} * 1'000'000;
    EXPECT_EQ(throttle.wait_seconds("a", now), 0);
  }
  EXPECT_EQ(last, 64);
  EXPECT_EQ(throttle.wait_seconds("b", now), 0) << "others do not wait";
}

TEST(FailureThrottle, ForgetsAndStaysBounded) {
  FailureThrottle throttle;
  for (int i = 0; i < 20; ++i)
    throttle.failed("a", 1);
  EXPECT_GT(throttle.wait_seconds("a", 2), 0);
  EXPECT_EQ(throttle.wait_seconds("a", 2 + FailureThrottle::kForgetUs), 0);
  for (size_t i = 0; i < 3 * FailureThrottle::kMaxAddresses; ++i)
    throttle.failed(std::to_string(i), static_cast<int64_t>(i));
}

TEST(FailureThrottle, CountsANetworkOfIpv6AsOneAddress) {
  FailureThrottle throttle;
  for (int i = 0; i <= FailureThrottle::kFree; ++i)
    throttle.failed("2001:db8:1:2::" + std::to_string(i), 1);
  EXPECT_GT(throttle.wait_seconds("2001:db8:1:2:ffff::9", 2), 0);
  EXPECT_EQ(throttle.wait_seconds("2001:db8:1:3::1", 2), 0);
  for (int i = 0; i <= FailureThrottle::kFree; ++i)
    throttle.failed("::ffff:192.0.2.1", 1);
  EXPECT_GT(throttle.wait_seconds("192.0.2.1", 2), 0);
  EXPECT_EQ(throttle.wait_seconds("192.0.2.2", 2), 0);
}

TEST(FailureThrottle, CountsWhoChangesItsNetworkWithinASite) {
  FailureThrottle throttle;
  const auto address = [](int network) { return "2001:db8:7:" + std::to_string(network) + "::1"; };
  for (int i = 0; i < FailureThrottle::kFreeOfSite; ++i) {
    EXPECT_EQ(throttle.wait_seconds(address(i), 1), 0) << i;
    throttle.failed(address(i), 1);
  }
  throttle.failed(address(FailureThrottle::kFreeOfSite), 1);
  EXPECT_EQ(throttle.wait_seconds(address(9999), 1), 1);
  EXPECT_EQ(throttle.wait_seconds("2001:db8:8::1", 1), 0) << "the neighbour";
  // It goes on being known however many other networks come.
  for (size_t i = 0; i < 2 * FailureThrottle::kMaxAddresses; ++i)
    throttle.failed(address(static_cast<int>(i % 9999)), static_cast<int64_t>(2 + i));
  EXPECT_GT(throttle.wait_seconds("2001:db8:7:ffff::1", 3), 60);
}

TEST(RandomHex, IsLongAndNeverTheSame) {
  const std::string a = random_hex(16), b = random_hex(16);
  EXPECT_EQ(a.size(), 32u);
  EXPECT_EQ(a.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(a, b);
  EXPECT_EQ(random_hex(0), "");
}

TEST(Cookie, IsFoundAmongOthers) {
  EXPECT_EQ(cookie_value("a=1; vitrine_session=abc; b=2", "vitrine_session"), "abc");
  EXPECT_EQ(cookie_value("vitrine_session=abc", "vitrine_session"), "abc");
  EXPECT_EQ(cookie_value("xvitrine_session=abc", "vitrine_session"), "");
  EXPECT_EQ(cookie_value("a=vitrine_session=x; vitrine_session=", "vitrine_session"), "");
  EXPECT_EQ(cookie_value("vitrine_session", "vitrine_session"), "");
  EXPECT_EQ(cookie_value("   vitrine_session=a=b;", "vitrine_session"), "a=b");
  EXPECT_EQ(cookie_value("", "vitrine_session"), "");
  EXPECT_EQ(cookie_value(";;  ;", "vitrine_session"), "");
}

}  // namespace
}  // namespace vitrine
