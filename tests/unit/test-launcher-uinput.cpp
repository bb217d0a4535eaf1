// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether devices made by uinput are seen: against files in the place of the kernel's.
#include <gtest/gtest.h>

#include <linux/uinput.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "uinput-view.h"

using namespace vitrine;

namespace {

int made, destroyed;

int fake_ioctl(int, unsigned long request, void* argument) {
  if (request == UI_GET_SYSNAME(64))
    std::strcpy(static_cast<char*>(argument), "input12");
  made += request == UI_DEV_CREATE;
  destroyed += request == UI_DEV_DESTROY;
  return 0;
}

class UInput : public ::testing::Test {
 protected:
  void SetUp() override {
    made = destroyed = 0;
    char name[] = "/tmp/vitrine-uinput-XXXXXX";
    root = mkdtemp(name);
    std::filesystem::create_directories(root + "/sys/input12/event7");
    std::filesystem::create_directories(root + "/dev");
    std::ofstream(root + "/uinput") << "";
    view = {root + "/uinput", root + "/sys", root + "/dev", fake_ioctl, 30};
  }
  void TearDown() override { std::filesystem::remove_all(root); }

  std::string root, why;
  UInputView view;
};

TEST_F(UInput, IsSeenWhereItsNodeCanBeOpened) {
  std::ofstream(root + "/dev/event7") << "";
  EXPECT_TRUE(uinput_devices_are_seen(view, why));
  EXPECT_EQ(made, 1);
  EXPECT_EQ(destroyed, 1);
}

TEST_F(UInput, IsNotSeenInAContainerThatHasNoNodes) {
  EXPECT_FALSE(uinput_devices_are_seen(view, why));
  EXPECT_EQ(why, root + "/dev/event7: No such file or directory");
  EXPECT_EQ(destroyed, 1);
}

TEST_F(UInput, IsNotSeenWhereSysfsTellsNothing) {
  std::filesystem::remove_all(root + "/sys");
  EXPECT_FALSE(uinput_devices_are_seen(view, why));
  EXPECT_EQ(why, root + "/dev: No such file or directory");
}

TEST_F(UInput, CannotBeOpened) {
  view.uinput = root + "/none";
  EXPECT_FALSE(uinput_devices_are_seen(view, why));
  EXPECT_EQ(why, root + "/none: No such file or directory");
  EXPECT_EQ(made, 0);
}

}  // namespace
