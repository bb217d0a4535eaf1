// SPDX-License-Identifier: LGPL-2.1-or-later
// The scenes of the capture benchmark, in plain Xlib.
#include "capture-scenes.h"

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/extensions/XShm.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctime>
#include <random>
#include <vector>

namespace vitrine {
namespace {

constexpr int64_t kTick = 1000000000 / 60;
constexpr int kPictures = 4;

int64_t now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * int64_t{1000000000} + t.tv_nsec;
}

class Painter {
 public:
  Painter(Display* display, Scene scene, SceneClock* clock)
      : display_(display), scene_(scene), clock_(clock) {
    const int screen = DefaultScreen(display);
    width_ = DisplayWidth(display, screen);
    height_ = DisplayHeight(display, screen);
    XSetWindowAttributes attributes{};
    attributes.override_redirect = True;
    attributes.background_pixel = 0x204060;
    window_ = make_window(RootWindow(display, screen), 0, 0, width_, height_, attributes);
    gc_ = XCreateGC(display, window_, 0, nullptr);
    XSetGraphicsExposures(display, gc_, False);
    if (scene == Scene::kWindow) {
      attributes.background_pixel = 0xd0d0c0;
      moving_ = make_window(window_, 0, 0, 700, 400, attributes);
    }
    if (scene == Scene::kVideo)
      make_pictures(640, 360);
    if (scene == Scene::kFull)
      make_pictures(width_, height_);
    XSync(display, False);
  }

  void tick(unsigned n) {
    switch (scene_) {
      case Scene::kTyping:
        if (n % 6 == 0)
          fill(100 + n / 6 % 150 * 8, 200 + n / 900 * 16 % 600, 8, 16, n * 0x8123);
        break;
      case Scene::kScrolling:
        scroll(n);
        break;
      case Scene::kVideo:
        put(n, 400, 300);
        break;
      case Scene::kWindow:
        XMoveWindow(display_, moving_, n * 7 % (width_ - 700), n * 3 % (height_ - 400));
        break;
      case Scene::kFull:
        put(n, 0, 0);
        break;
      case Scene::kProbe:
        if (n % 7 == 0)
          fill(500, 500, 8, 16, n * 0x8123);
        break;
      case Scene::kIdle:
        break;
    }
    clock_->drawn_ns = now_ns();
    XFlush(display_);
  }

 private:
  Window make_window(Window parent, int x, int y, int w, int h, XSetWindowAttributes& attributes) {
    const Window window = XCreateWindow(display_, parent, x, y, w, h, 0, CopyFromParent, InputOutput,
                                        CopyFromParent, CWOverrideRedirect | CWBackPixel, &attributes);
    XMapRaised(display_, window);
    return window;
  }

  void fill(int x, int y, int w, int h, unsigned long color) {
    XSetForeground(display_, gc_, color & 0xffffff);
    XFillRectangle(display_, window_, gc_, x, y, w, h);
  }

  /// A terminal of 900x920: all lines move up by one and a new one is written.
  void scroll(unsigned n) {
    XCopyArea(display_, window_, window_, gc_, 50, 66, 900, 904, 50, 50);
    fill(50, 954, 900, 16, 0x101010);
    for (int column = 0; column < 110; column++)
      fill(50 + column * 8, 956, 6, 12, (n + column) * 0x37519);
  }

  void make_pictures(int w, int h) {
    picture_ = XShmCreateImage(display_, DefaultVisual(display_, 0), DefaultDepth(display_, 0), ZPixmap,
                               nullptr, &segment_, w, h);
    bytes_ = static_cast<size_t>(picture_->bytes_per_line) * h;
    segment_.shmid = shmget(IPC_PRIVATE, bytes_ * kPictures, IPC_CREAT | 0600);
    segment_.shmaddr = picture_->data = static_cast<char*>(shmat(segment_.shmid, nullptr, 0));
    segment_.readOnly = False;
    XShmAttach(display_, &segment_);
    XSync(display_, False);
    shmctl(segment_.shmid, IPC_RMID, nullptr);
    for (int i = 0; i < kPictures; ++i)
      paint_noise(reinterpret_cast<uint32_t*>(segment_.shmaddr + static_cast<size_t>(i) * bytes_), w, h, static_cast<unsigned>(i));
  }

  /// Small areas and grain upon them, of chance: no encoder finds it in the picture before, and none is ever done with it.
  static void paint_noise(uint32_t* pixels, int w, int h, unsigned seed) {
    constexpr int kArea = 6;
    std::mt19937 random(seed);
    std::vector<uint32_t> areas(static_cast<size_t>(w / kArea + 1));
    for (int y = 0; y < h; ++y) {
      if (y % kArea == 0)
        for (auto& area : areas)
          area = static_cast<uint32_t>(random()) & 0xe0e0e0;
      for (int x = 0; x < w; ++x)
        *pixels++ = areas[static_cast<size_t>(x / kArea)] | (static_cast<uint32_t>(random()) & 0x1f1f1f);
    }
  }

  void put(unsigned n, int x, int y) {
    picture_->data = segment_.shmaddr + n % kPictures * bytes_;
    XShmPutImage(display_, window_, gc_, picture_, 0, 0, x, y, picture_->width, picture_->height, False);
  }

  Display* display_;
  Scene scene_;
  SceneClock* clock_;
  int width_;
  int height_;
  Window window_;
  Window moving_ = 0;
  GC gc_;
  XImage* picture_ = nullptr;
  XShmSegmentInfo segment_{};
  size_t bytes_ = 0;
};

[[noreturn]] void draw(Scene scene, const std::string& name, SceneClock* clock) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  Display* display = XOpenDisplay(name.c_str());
  if (!display)
    _exit(1);
  Painter painter(display, scene, clock);
  int64_t next = now_ns();
  for (unsigned n = 0;; n++) {
    if (scene == Scene::kIdle)
      pause();
    painter.tick(n);
    next += kTick;
    const int64_t wait = next - now_ns();
    if (wait > 0)
      usleep(static_cast<useconds_t>(wait / 1000));
    else
      next = now_ns();
  }
}

}  // namespace

SceneProcess::SceneProcess(Scene scene, const std::string& display) {
  void* memory = mmap(nullptr, sizeof(SceneClock), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  clock_ = new (memory) SceneClock;
  pid_ = fork();
  if (pid_ == 0)
    draw(scene, display, clock_);
}

SceneProcess::~SceneProcess() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  munmap(clock_, sizeof(SceneClock));
}

}  // namespace vitrine
