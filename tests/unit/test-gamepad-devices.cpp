// SPDX-License-Identifier: LGPL-2.1-or-later
// What programs see of gamepads: sockets and answers of the preload library, and what the kernel's uinput is told.
#include <gtest/gtest.h>
#include <fcntl.h>
#include <linux/joystick.h>
#include <linux/uinput.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <set>

#include "remote/gamepad/pad-sockets.h"
#include "remote/gamepad/pad-uinput.h"
#include "remote/gamepad/preload/pad-ioctl.h"

namespace vitrine {
namespace {

using namespace pad_abi;

constexpr PadInput kStandard{0, PadKind::standard, 17, 4};

struct Feedback final : PadFeedback {
  void upload(uint8_t pad, RumbleMixer::Client, int effect, const RumbleEffect& what) override {
    say("upload", pad, effect, what.rumble.strong);
  }
  void erase(uint8_t pad, RumbleMixer::Client, int effect) override { say("erase", pad, effect, 0); }
  void play_effect(uint8_t pad, RumbleMixer::Client, int effect, int32_t count) override { say("play", pad, effect, count); }
  void set_gain(uint8_t pad, uint16_t gain) override { say("gain", pad, gain, 0); }
  void drop(uint8_t pad, RumbleMixer::Client) override { say("drop", pad, 0, 0); }
  void say(const char* what, int a, int b, int c) {
    log.push_back(std::string(what) + " " + std::to_string(a) + " " + std::to_string(b) + " " + std::to_string(c));
  }
  std::vector<std::string> log;
};
using Log = std::vector<std::string>;

class Sockets : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/vitrine-pads-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    base_ = name;
    std::string error;
    sockets_ = PadSockets::open(base_ + "/g", error);
    ASSERT_TRUE(sockets_) << error;
  }
  void TearDown() override {
    sockets_.reset();
    EXPECT_EQ(rmdir(base_.c_str()), 0) << "something was left behind";
  }
  void plug(uint8_t pad = 0, PadKind kind = PadKind::standard) {
    std::string error;
    shape_ = shape_of({pad, kind, 17, 4});
    ASSERT_TRUE(sockets_->plug(pad, shape_, error)) << error;
    now_ = rest_of(shape_);
  }
  void press(uint32_t buttons, uint8_t pad = 0) {
    PadValues after = now_;
    after.buttons = buttons;
    sockets_->report(pad, events_between(shape_, now_, after), after);
    now_ = after;
  }
  UniqueFd connect_to(const std::string& name) {
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (base_ + "/g/sockets/" + name).copy(address.sun_path, sizeof address.sun_path - 1);
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return {};
    return fd;
  }
  UniqueFd open_device(const std::string& name, uint8_t event_size = sizeof(input_event)) {
    UniqueFd fd = connect_to(name);
    PadHello hello, answer{};
    hello.event_size = event_size;
    EXPECT_EQ(write(fd.get(), &hello, sizeof hello), ssize_t{sizeof hello});
    serve();
    EXPECT_EQ(read(fd.get(), &answer, sizeof answer), ssize_t{sizeof answer});
    EXPECT_EQ(answer.magic, PadHello::kMagic);
    return fd;
  }
  void serve() {
    // Accepting and hearing are two rounds.
    for (int i = 0; i < 3; ++i)
      sockets_->serve(feedback_);
  }
  std::vector<input_event> events(int fd) {
    std::vector<input_event> all(4096);
    const ssize_t got = read(fd, all.data(), all.size() * sizeof all[0]);
    EXPECT_EQ(got < 0 ? 0 : got % static_cast<ssize_t>(sizeof all[0]), 0);
    all.resize(got < 0 ? 0 : static_cast<size_t>(got) / sizeof all[0]);
    return all;
  }
  PadPage page(int pad = 0) {
    PadPage page{};
    const UniqueFd fd(open((base_ + "/g/pads/" + std::to_string(pad)).c_str(), O_RDONLY));
    EXPECT_EQ(pread(fd.get(), &page, sizeof page, 0), ssize_t{sizeof page});
    return page;
  }
  bool exists(const std::string& path) { return access((base_ + "/g/" + path).c_str(), F_OK) == 0; }

  std::string base_;
  std::unique_ptr<PadSockets> sockets_;
  PadShape shape_;
  PadValues now_;
  Feedback feedback_;
};

TEST_F(Sockets, ADeviceIsThereAsLongAsItIsPluggedIn) {
  EXPECT_FALSE(exists("input/event0"));
  plug(2);
  EXPECT_TRUE(exists("input/event2") && exists("input/js2") && exists("sockets/js2"));
  sockets_->unplug(2);
  EXPECT_FALSE(exists("input/event2") || exists("input/js2") || exists("sockets/event2") || exists("pads/2"));
}

TEST_F(Sockets, NobodyElseMayLookIn) {
  struct stat status {};
  ASSERT_EQ(stat((base_ + "/g").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(Sockets, EventsComeAsFromTheKernel) {
  plug();
  const UniqueFd fd = open_device("event0");
  press(1);
  const auto got = events(fd.get());
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].type, EV_KEY);
  EXPECT_EQ(got[0].code, BTN_SOUTH);
  EXPECT_EQ(got[0].value, 1);
  EXPECT_EQ(got[1].type, EV_SYN);
  EXPECT_EQ(got[1].code, SYN_REPORT);
  EXPECT_NEAR(static_cast<double>(got[0].input_event_sec), static_cast<double>(time(nullptr)), 100);
}

TEST_F(Sockets, ProgramsWithShortTimesGetShortEvents) {
  plug();
  const UniqueFd fd = open_device("event0", 16);
  press(1);
  uint8_t bytes[64];
  ASSERT_EQ(read(fd.get(), bytes, sizeof bytes), 32);
  EventTail tail;
  memcpy(&tail, bytes + 8, sizeof tail);
  EXPECT_EQ(tail.code, BTN_SOUTH);
}

TEST_F(Sockets, AJoystickTellsItsStateFirst) {
  plug();
  press(2);
  const UniqueFd fd = open_device("js0");
  js_event all[64];
  ASSERT_EQ(read(fd.get(), all, sizeof all), ssize_t{19 * sizeof(js_event)});
  EXPECT_EQ(all[0].type, JS_EVENT_BUTTON | JS_EVENT_INIT);
  EXPECT_EQ(all[1].value, 1);
  EXPECT_EQ(all[13].type, JS_EVENT_AXIS | JS_EVENT_INIT);
  EXPECT_EQ(all[13].value, -32767) << "a trigger at rest";
  press(0);
  ASSERT_EQ(read(fd.get(), all, sizeof all), ssize_t{sizeof(js_event)});
  EXPECT_EQ(all[0].type, JS_EVENT_BUTTON);
  EXPECT_EQ(all[0].number, 1);
}

TEST_F(Sockets, WhoDoesNotReadMissesSomethingAndIsTold) {
  plug();
  const UniqueFd slow = open_device("event0"), quick = open_device("event0"), joystick = open_device("js0");
  size_t seen = 0;
  for (uint32_t i = 1; i <= 20000; ++i) {
    press(i & 1);
    seen += events(quick.get()).size();
  }
  EXPECT_EQ(seen, 40000u) << "another one's slowness is not mine";
  size_t events_read = 0;
  bool dropped = false;
  for (int round = 0; round < 2000; ++round) {
    for (const auto& event : events(slow.get())) {
      ++events_read;
      EXPECT_TRUE(event.type == EV_KEY || event.type == EV_SYN);
      dropped = dropped || (event.type == EV_SYN && event.code == SYN_DROPPED);
    }
    serve();
  }
  EXPECT_TRUE(dropped);
  EXPECT_LT(events_read, 40000u);
  press(1);
  const auto after = events(slow.get());
  ASSERT_EQ(after.size(), 2u);
  EXPECT_EQ(after[0].value, 1);
  // The joystick is told its state anew.
  bool again = false;
  for (int round = 0; round < 2000; ++round) {
    js_event one;
    while (read(joystick.get(), &one, sizeof one) == sizeof one)
      again = again || (one.type & JS_EVENT_INIT && one.number == 10 && one.type & JS_EVENT_BUTTON && round > 0);
    serve();
  }
  EXPECT_TRUE(again);
}

TEST_F(Sockets, MotorsHearOfEffects) {
  plug();
  const UniqueFd fd = open_device("event0");
  const auto say = [&](uint16_t type, uint16_t code, int32_t value, PadEffect effect = {}) {
    uint8_t bytes[sizeof(input_event)] = {};
    const EventTail tail{type, code, value};
    memcpy(bytes, &effect, sizeof effect);
    memcpy(bytes + sizeof bytes - sizeof tail, &tail, sizeof tail);
    ASSERT_EQ(write(fd.get(), bytes, sizeof bytes), ssize_t{sizeof bytes});
  };
  say(kUploadEffect, 3, 0, {7, 8, 100, 0});
  say(EV_FF, 3, 1);
  say(EV_FF, FF_GAIN, 1 << 30);
  say(kEraseEffect, 3, 0);
  say(EV_LED, 0, 1);
  serve();
  EXPECT_EQ(feedback_.log, (Log{"upload 0 3 7", "play 0 3 1", "gain 0 65535 0", "erase 0 3 0"}));
}

TEST_F(Sockets, WhoTalksNonsenseIsCutOff) {
  plug();
  for (const char* name : {"event0", "js0"}) {
    const UniqueFd fd = connect_to(name);
    ASSERT_EQ(write(fd.get(), "GET / HTTP/1.1\r\n", 16), 16);
    serve();
    char byte;
    EXPECT_EQ(read(fd.get(), &byte, 1), errno == ECONNRESET ? -1 : 0) << name;
  }
  // A joystick takes nothing.
  const UniqueFd fd = open_device("js0");
  ASSERT_EQ(write(fd.get(), "x", 1), 1);
  serve();
  EXPECT_EQ(sockets_->clients(), 0u);
}

TEST_F(Sockets, SoManyProgramsAtMost) {
  plug();
  std::vector<UniqueFd> all;
  for (size_t i = 0; i < PadSockets::kClientsMost; ++i)
    all.push_back(open_device("event0"));
  const UniqueFd more = connect_to("event0");
  serve();
  EXPECT_EQ(sockets_->clients(), PadSockets::kClientsMost);
  all.pop_back();
  serve();
  EXPECT_TRUE(open_device("event0"));
}

TEST_F(Sockets, UnpluggingEndsConnections) {
  plug();
  const UniqueFd fd = open_device("event0");
  sockets_->unplug(0);
  char byte;
  EXPECT_EQ(read(fd.get(), &byte, 1), 0);
  EXPECT_EQ(sockets_->clients(), 0u);
}

TEST(PadSockets, FoldersThatCannotBeAreRefused) {
  std::string error;
  EXPECT_FALSE(PadSockets::open("relative", error));
  EXPECT_FALSE(PadSockets::open("/tmp/" + std::string(100, 'x'), error));
  EXPECT_FALSE(PadSockets::open("/proc/vitrine", error));
  EXPECT_NE(error.find("/proc/vitrine"), std::string::npos);
}

class Answers : public Sockets {
 protected:
  void SetUp() override {
    Sockets::SetUp();
    plug();
    press(1 << 10);
    page_ = page();
  }
  PadPage page_;
};

TEST_F(Answers, OfAnEventDevice) {
  input_id id{};
  EXPECT_EQ(answer_event_ioctl(page_, EVIOCGID, &id), 0);
  EXPECT_EQ(id.product, 0x028e);
  char name[8] = "";
  EXPECT_EQ(answer_event_ioctl(page_, EVIOCGNAME(sizeof name), name), 8);
  EXPECT_EQ(std::string(name, sizeof name), "Microsof");
  unsigned long bits[KEY_CNT / 8 / sizeof(long) + 2];
  memset(bits, 0xff, sizeof bits);
  EXPECT_EQ(answer_event_ioctl(page_, EVIOCGBIT(EV_KEY, sizeof bits), bits), int{KEY_CNT / 8});
  EXPECT_TRUE(bit(reinterpret_cast<uint8_t*>(bits), BTN_SOUTH));
  EXPECT_FALSE(bit(reinterpret_cast<uint8_t*>(bits), BTN_C));
  EXPECT_EQ(bits[KEY_CNT / 8 / sizeof(long)], ~0UL) << "no byte more than there is";
  EXPECT_EQ(answer_event_ioctl(page_, EVIOCGBIT(0, 1), bits), 1);
  EXPECT_EQ(answer_event_ioctl(page_, EVIOCGBIT(EV_REL, sizeof bits), bits), 8);
  EXPECT_EQ(bits[0], 0u);
  uint8_t pressed[KEY_CNT / 8];
  EXPECT_EQ(answer_event_ioctl(page_, EVIOCGKEY(sizeof pressed), pressed), int{sizeof pressed});
  EXPECT_TRUE(bit(pressed, BTN_THUMBR));
  input_absinfo axis{};
  EXPECT_EQ(answer_event_ioctl(page_, EVIOCGABS(ABS_Z), &axis), 0);
  EXPECT_EQ(axis.maximum, 255);
  EXPECT_EQ(answer_event_ioctl(page_, EVIOCGABS(ABS_WHEEL), &axis), -EINVAL);
  char none[4];
  EXPECT_EQ(answer_event_ioctl(page_, EVIOCGUNIQ(sizeof none), none), -ENOENT);
  EXPECT_EQ(answer_event_ioctl(page_, JSIOCGNAME(4), none), -EINVAL) << "SDL tells joysticks from events by this";
  EXPECT_EQ(answer_event_ioctl(page_, EVIOCSABS(0), &axis), -EINVAL);
}

TEST_F(Answers, OfAJoystick) {
  uint8_t count = 0;
  EXPECT_EQ(answer_joystick_ioctl(page_, JSIOCGAXES, &count), 0);
  EXPECT_EQ(count, 8);
  EXPECT_EQ(answer_joystick_ioctl(page_, JSIOCGBUTTONS, &count), 0);
  EXPECT_EQ(count, 11);
  uint8_t axes[ABS_CNT];
  EXPECT_EQ(answer_joystick_ioctl(page_, JSIOCGAXMAP, axes), int{sizeof axes});
  EXPECT_EQ(axes[6], ABS_HAT0X);
  uint16_t buttons[KEY_MAX - BTN_MISC + 1];
  EXPECT_EQ(answer_joystick_ioctl(page_, JSIOCGBTNMAP, buttons), int{sizeof buttons});
  EXPECT_EQ(buttons[2], BTN_X);
  char name[64];
  EXPECT_EQ(answer_joystick_ioctl(page_, JSIOCGNAME(sizeof name), name), 24);
  EXPECT_STREQ(name, "Microsoft X-Box 360 pad");
  EXPECT_EQ(answer_joystick_ioctl(page_, EVIOCGID, name), -EINVAL);
}

// ---- uinput, without a kernel that has it ----

struct FakeUInput {
  std::set<unsigned long> keys, effects;
  std::map<int, input_absinfo> axes;
  uinput_setup setup{};
  bool created = false, destroyed = false, refuses = false;
  int end = -1;  // the other end of the device's socket
  std::vector<int32_t> answered;
};
FakeUInput fake;

const UInputCalls kFakeCalls = {
    [] {
      int pair[2];
      if (fake.refuses || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) != 0) {
        errno = EACCES;
        return -1;
      }
      fake.end = pair[1];
      return pair[0];
    },
    [](int, unsigned long request, void* argument) {
      const auto value = reinterpret_cast<unsigned long>(argument);
      if (request == UI_SET_KEYBIT)
        fake.keys.insert(value);
      else if (request == UI_SET_FFBIT)
        fake.effects.insert(value);
      else if (request == UI_ABS_SETUP)
        fake.axes[static_cast<uinput_abs_setup*>(argument)->code] = static_cast<uinput_abs_setup*>(argument)->absinfo;
      else if (request == UI_DEV_SETUP)
        fake.setup = *static_cast<uinput_setup*>(argument);
      else if (request == UI_DEV_CREATE)
        fake.created = true;
      else if (request == UI_DEV_DESTROY)
        fake.destroyed = true;
      else if (request == UI_BEGIN_FF_UPLOAD) {
        auto* what = static_cast<uinput_ff_upload*>(argument);
        what->effect.type = what->request_id == 1 ? FF_RUMBLE : FF_DAMPER;
        what->effect.id = 5;
        what->effect.u.rumble.strong_magnitude = 77;
      } else if (request == UI_END_FF_UPLOAD) {
        fake.answered.push_back(static_cast<uinput_ff_upload*>(argument)->retval);
      } else if (request == UI_BEGIN_FF_ERASE) {
        static_cast<uinput_ff_erase*>(argument)->effect_id = 5;
      }
      return 0;
    },
    [](int fd, const void* bytes, size_t count) { return ::write(fd, bytes, count); },
    [](int fd, void* bytes, size_t count) { return ::read(fd, bytes, count); },
};

TEST(PadUInput, TellsTheKernelWhatItIsAndDoes) {
  fake = {};
  std::string error;
  const auto uinput = PadUInput::open(error, kFakeCalls);
  ASSERT_TRUE(uinput) << error;
  close(fake.end);
  const PadShape shape = shape_of(kStandard);
  ASSERT_TRUE(uinput->plug(0, shape, error)) << error;
  EXPECT_TRUE(fake.created);
  EXPECT_EQ(fake.keys.size(), 11u);
  EXPECT_TRUE(fake.effects.contains(FF_RUMBLE));
  EXPECT_EQ(fake.axes.at(ABS_HAT0Y).minimum, -1);
  EXPECT_EQ(fake.setup.id.vendor, 0x045e);
  EXPECT_EQ(fake.setup.ff_effects_max, 16u);
  const PadValues after = values_of(shape, {0, 1, {}});
  uinput->report(0, events_between(shape, rest_of(shape), after), after);
  input_event got[8];
  ASSERT_EQ(read(fake.end, got, sizeof got), ssize_t{2 * sizeof(input_event)});
  EXPECT_EQ(got[0].code, BTN_SOUTH);
  EXPECT_EQ(got[1].type, EV_SYN);
  uinput->unplug(0);
  EXPECT_TRUE(fake.destroyed);
  close(fake.end);
}

TEST(PadUInput, PlaysWhatProgramsAskFor) {
  fake = {};
  std::string error;
  const auto uinput = PadUInput::open(error, kFakeCalls);
  close(fake.end);
  ASSERT_TRUE(uinput->plug(2, shape_of(kStandard), error));
  const auto say = [](uint16_t type, uint16_t code, int32_t value) {
    input_event event{};
    event.type = type;
    event.code = code;
    event.value = value;
    ASSERT_EQ(write(fake.end, &event, sizeof event), ssize_t{sizeof event});
  };
  say(EV_UINPUT, UI_FF_UPLOAD, 1);
  say(EV_UINPUT, UI_FF_UPLOAD, 2);
  say(EV_FF, 5, 1);
  say(EV_FF, FF_GAIN, 99);
  say(EV_UINPUT, UI_FF_ERASE, 3);
  Feedback feedback;
  uinput->serve(feedback);
  EXPECT_EQ(feedback.log, (Log{"upload 2 5 77", "play 2 5 1", "gain 2 99 0", "erase 2 5 0"}));
  EXPECT_EQ(fake.answered, (std::vector<int32_t>{0, -EINVAL}));
  close(fake.end);
}

TEST(PadUInput, SaysWhyThereIsNone) {
  fake = {};
  fake.refuses = true;
  std::string error;
  EXPECT_FALSE(PadUInput::open(error, kFakeCalls));
  EXPECT_EQ(error, "/dev/uinput: Permission denied");
}

}  // namespace
}  // namespace vitrine
