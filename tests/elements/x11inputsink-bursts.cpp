// SPDX-License-Identifier: LGPL-2.1-or-later
// Bursts of characters that no key has, typed into programs that are slow to read them: each must arrive, in order.
//
// VITRINE_BURSTS multiplies how much is typed (1 unless set).
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <random>
#include <thread>

#include "x11inputsink-fixture.h"

namespace vitrine {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using Keysyms = std::vector<KeySym>;

int times() {
  const char* text = std::getenv("VITRINE_BURSTS");
  return std::max(1, text ? std::atoi(text) : 1);
}

/// What a program does about a changed keymap.
enum class Refresh {
  never,      // leaves it to Xlib, which looks when a key is looked up
  at_once,    // as Xt does
  answering,  // at_once, and answers _NET_WM_PING
};

/// A program that now and then takes its time over a key, while more of them wait.
class SlowProgram {
 public:
  SlowProgram(const std::string& display, Refresh refresh) : refresh_(refresh), display_(XOpenDisplay(display.c_str())) {
    window_ = XCreateSimpleWindow(display_, DefaultRootWindow(display_), 0, 0, 800, 600, 0, 0, 0);
    XSelectInput(display_, window_, KeyPressMask);
    protocols_ = XInternAtom(display_, "WM_PROTOCOLS", False);
    ping_ = XInternAtom(display_, "_NET_WM_PING", False);
    if (refresh_ == Refresh::answering)
      XSetWMProtocols(display_, window_, &ping_, 1);
    XMapRaised(display_, window_);
    XSync(display_, False);
    XSetInputFocus(display_, window_, RevertToParent, CurrentTime);
    XSync(display_, False);
    thread_ = std::thread([this] { read(); });
  }
  ~SlowProgram() {
    stop_ = true;
    thread_.join();
    XCloseDisplay(display_);
  }
  SlowProgram(const SlowProgram&) = delete;
  SlowProgram& operator=(const SlowProgram&) = delete;

  Keysyms wait_for(size_t count, std::chrono::seconds patience) {
    for (const auto end = Clock::now() + patience; Clock::now() < end;) {
      {
        const std::lock_guard lock(mutex_);
        if (typed_.size() >= count)
          break;
      }
      std::this_thread::sleep_for(milliseconds(5));
    }
    const std::lock_guard lock(mutex_);
    return typed_;
  }

 private:
  void read() {
    std::mt19937 random(11);
    while (!stop_) {
      pollfd waiting{ConnectionNumber(display_), POLLIN, 0};
      if (!XEventsQueued(display_, QueuedAfterFlush) && poll(&waiting, 1, 20) <= 0)
        continue;
      XEvent event;
      if (!XPending(display_))
        continue;
      XNextEvent(display_, &event);
      if (event.type == MappingNotify && refresh_ != Refresh::never) {
        XRefreshKeyboardMapping(&event.xmapping);
      } else if (event.type == ClientMessage && event.xclient.message_type == protocols_ &&
                 static_cast<Atom>(event.xclient.data.l[0]) == ping_) {
        event.xclient.window = DefaultRootWindow(display_);
        XSendEvent(display_, event.xclient.window, False, SubstructureNotifyMask | SubstructureRedirectMask, &event);
        XFlush(display_);
      } else if (event.type == KeyPress) {
        // Most of the time prompt, seldom very slow.
        if (random() % 4 == 0)
          std::this_thread::sleep_for(milliseconds(random() % 12));
        if (random() % 60 == 0)
          std::this_thread::sleep_for(milliseconds(200 + random() % 300));
        char text[16];
        KeySym symbol = NoSymbol;
        XLookupString(&event.xkey, text, sizeof text, &symbol, nullptr);
        if (IsModifierKey(symbol) || symbol == XK_ISO_Level3_Shift)
          continue;
        const std::lock_guard lock(mutex_);
        typed_.push_back(symbol);
      }
    }
  }

  const Refresh refresh_;
  Display* const display_;
  Window window_;
  Atom protocols_, ping_;
  std::mutex mutex_;
  Keysyms typed_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

class Bursts : public X11InputSink {
 protected:
  /// Types characters of which hardly any comes twice, in bursts of one or several messages.
  Keysyms type_bursts(int count, unsigned seed, unsigned pause) {
    std::mt19937 random(seed);
    Keysyms all;
    while (static_cast<int>(all.size()) < count) {
      std::vector<InputBody> bodies;
      const auto size = 1 + random() % 20;
      for (unsigned i = 0; i < size; ++i) {
        const KeySym keysym = 0x01004e00 + random() % 3000;
        all.push_back(keysym);
        bodies.push_back(key_down(0, static_cast<uint32_t>(keysym)));
        bodies.push_back(key_up(0, static_cast<uint32_t>(keysym)));
        if (random() % 4 == 0) {
          push(bodies);
          bodies.clear();
        }
      }
      push(bodies);
      std::this_thread::sleep_for(milliseconds(random() % pause));
    }
    return all;
  }

  /// `pause`: how long nothing is typed between bursts at most, in milliseconds.
  void try_with(Refresh refresh, unsigned seed, unsigned pause) {
    recorder_.reset();
    SlowProgram program(server_->display(), refresh);
    start();
    // Xlib misses a change that comes just while it reads its first keymap.
    tap(0, 'a');
    ASSERT_EQ(program.wait_for(1, std::chrono::seconds(10)), Keysyms{'a'});
    Keysyms all{'a'};
    const Keysyms more = type_bursts(200 * times(), seed, pause);
    all.insert(all.end(), more.begin(), more.end());
    const Keysyms typed = program.wait_for(all.size(), std::chrono::seconds(60 * times()));
    EXPECT_EQ(typed.size(), all.size());
    const auto [read, sent] = std::mismatch(typed.begin(), typed.end(), all.begin(), all.end());
    EXPECT_TRUE(sent == all.end()) << "character " << sent - all.begin() << " arrived as " << std::hex
                                   << (read == typed.end() ? 0 : *read) << " instead of " << *sent;
    EXPECT_EQ(stat("unknown-keys"), 0u);
  }
};

// A program without pings must not fall back by more than a second.
TEST_F(Bursts, ArriveInAProgramThatLeavesTheKeymapToXlib) { try_with(Refresh::never, 1, 500); }
TEST_F(Bursts, ArriveInAProgramThatRefreshesAtOnce) { try_with(Refresh::at_once, 2, 500); }
TEST_F(Bursts, ArriveInAProgramThatAnswersPings) { try_with(Refresh::answering, 3, 100); }

std::string utf8(const Keysyms& keysyms) {
  std::string text;
  for (const KeySym keysym : keysyms) {
    const auto point = static_cast<unsigned>(keysym - 0x01000000);  // all in the basic plane, above U+07FF
    text += {static_cast<char>(0xe0 | point >> 12), static_cast<char>(0x80 | (point >> 6 & 0x3f)), static_cast<char>(0x80 | (point & 0x3f))};
  }
  return text;
}

/// Stops and continues a process at random.
class Stutter {
 public:
  explicit Stutter(pid_t pid) : thread_([this, pid] {
      std::mt19937 random(7);
      while (!stop_) {
        kill(pid, SIGSTOP);
        std::this_thread::sleep_for(milliseconds(random() % 150));
        kill(pid, SIGCONT);
        std::this_thread::sleep_for(milliseconds(random() % 100));
      }
    }) {}
  ~Stutter() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

TEST_F(Bursts, ArriveInAnXtermThatIsStoppedNowAndThen) {
  if (std::system("command -v xterm >/dev/null") != 0)
    GTEST_SKIP() << "no xterm here";
  recorder_.reset();
  TemporaryFile line;
  const std::string script = "stty -icanon -echo; echo ready > " + line.path() + "; cat >> " + line.path();
  const std::string display = server_->display();
  std::vector<std::string> words{"xterm", "-u8", "-display", display, "-geometry", "80x24+0+0", "-e", "sh", "-c", script};
  std::vector<char*> argv;
  for (auto& word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  setenv("LC_ALL", "C.UTF-8", 1);
  unsetenv("LD_PRELOAD");
  pid_t pid = 0;
  ASSERT_EQ(posix_spawnp(&pid, "xterm", nullptr, nullptr, argv.data(), environ), 0);
  for (int i = 0; i < 500 && line.read() != "ready\n"; ++i)
    std::this_thread::sleep_for(milliseconds(20));
  ASSERT_EQ(line.read(), "ready\n");
  start();
  push({PointerInput{{100, 100, 800, 600}}});
  std::this_thread::sleep_for(milliseconds(500));
  std::string expected = "ready\n";
  {
    const Stutter stutter(pid);
    expected += utf8(type_bursts(200 * times(), 4, 100));
    for (int i = 0; i < 1000 * times() && line.read().size() < expected.size(); ++i)
      std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_EQ(line.read(), expected);
  kill(pid, SIGTERM);
  waitpid(pid, nullptr, 0);
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  gst_init(&argc, &argv);
  return RUN_ALL_TESTS();
}
