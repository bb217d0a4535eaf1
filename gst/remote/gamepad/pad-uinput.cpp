// SPDX-License-Identifier: LGPL-2.1-or-later
// uinput: making devices, reporting, and playing what programs ask of the motors.
#include "remote/gamepad/pad-uinput.h"

#include <fcntl.h>
#include <linux/uinput.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace vitrine {
namespace {

constexpr char kDevice[] = "/dev/uinput";
constexpr unsigned kEffects[] = {FF_RUMBLE, FF_PERIODIC, FF_SQUARE, FF_TRIANGLE, FF_SINE, FF_GAIN};
/// The kernel mixes programs' effects under ids of its own.
constexpr RumbleMixer::Client kKernel = 0;

void* number(unsigned long value) { return reinterpret_cast<void*>(value); }

}  // namespace

const UInputCalls& kernel_uinput() {
  static const UInputCalls calls = {
      [] { return ::open(kDevice, O_RDWR | O_NONBLOCK | O_CLOEXEC); },
      [](int fd, unsigned long request, void* argument) { return ::ioctl(fd, request, argument); },
      [](int fd, const void* bytes, size_t count) { return ::write(fd, bytes, count); },
      [](int fd, void* bytes, size_t count) { return ::read(fd, bytes, count); },
  };
  return calls;
}

std::unique_ptr<PadUInput> PadUInput::open(std::string& error, const UInputCalls& calls) {
  if (!UniqueFd(calls.open())) {
    error = std::string(kDevice) + ": " + strerror(errno);
    return nullptr;
  }
  std::unique_ptr<PadUInput> made(new PadUInput(calls));
  made->epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  return made;
}

bool PadUInput::set_up(int fd, const PadShape& shape) const {
  const auto set = [this, fd](unsigned long request, unsigned long value) { return calls_.ioctl(fd, request, number(value)) >= 0; };
  bool good = set(UI_SET_EVBIT, EV_KEY) && set(UI_SET_EVBIT, EV_ABS) && set(UI_SET_EVBIT, EV_FF);
  for (const uint16_t code : shape.buttons)
    good = good && set(UI_SET_KEYBIT, code);
  for (const unsigned effect : kEffects)
    good = good && set(UI_SET_FFBIT, effect);
  for (const auto& axis : shape.axes) {
    uinput_abs_setup setup{};
    setup.code = axis.code;
    setup.absinfo = {0, axis.least, axis.most, axis.fuzz, axis.flat, 0};
    good = good && calls_.ioctl(fd, UI_ABS_SETUP, &setup) >= 0;
  }
  uinput_setup setup{};
  setup.id = shape.id;
  shape.name.copy(setup.name, sizeof setup.name - 1);
  setup.ff_effects_max = RumbleMixer::kEffectsMost;
  return good && calls_.ioctl(fd, UI_DEV_SETUP, &setup) >= 0 && calls_.ioctl(fd, UI_DEV_CREATE, nullptr) >= 0;
}

bool PadUInput::plug(uint8_t pad, const PadShape& shape, std::string& error) {
  UniqueFd device(calls_.open());
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.u64 = pad;
  if (!device || !set_up(device.get(), shape) || epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, device.get(), &wanted) != 0) {
    error = std::string(kDevice) + ": " + strerror(errno);
    return false;
  }
  devices_[pad] = std::move(device);
  return true;
}

void PadUInput::unplug(uint8_t pad) {
  if (devices_[pad])
    calls_.ioctl(devices_[pad].get(), UI_DEV_DESTROY, nullptr);
  devices_[pad].reset();
}

void PadUInput::report(uint8_t pad, std::span<const PadEvent> events, const PadValues&) {
  if (!devices_[pad])
    return;
  // The kernel sets the time.
  std::vector<input_event> made;
  const auto add = [&made](uint16_t type, uint16_t code, int32_t value) {
    input_event event{};
    event.type = type;
    event.code = code;
    event.value = value;
    made.push_back(event);
  };
  for (const auto& event : events)
    add(event.type, event.code, event.value);
  add(EV_SYN, SYN_REPORT, 0);
  [[maybe_unused]] const auto written = calls_.write(devices_[pad].get(), made.data(), made.size() * sizeof made[0]);
}

void PadUInput::upload(uint8_t pad, int32_t request, PadFeedback& feedback) {
  uinput_ff_upload what{};
  what.request_id = static_cast<uint32_t>(request);
  if (calls_.ioctl(devices_[pad].get(), UI_BEGIN_FF_UPLOAD, &what) < 0)
    return;
  const auto effect = rumble_effect_of(what.effect);
  if (effect)
    feedback.upload(pad, kKernel, what.effect.id, *effect);
  what.retval = effect ? 0 : -EINVAL;
  calls_.ioctl(devices_[pad].get(), UI_END_FF_UPLOAD, &what);
}

void PadUInput::erase(uint8_t pad, int32_t request, PadFeedback& feedback) {
  uinput_ff_erase what{};
  what.request_id = static_cast<uint32_t>(request);
  if (calls_.ioctl(devices_[pad].get(), UI_BEGIN_FF_ERASE, &what) < 0)
    return;
  feedback.erase(pad, kKernel, static_cast<int>(what.effect_id));
  what.retval = 0;
  calls_.ioctl(devices_[pad].get(), UI_END_FF_ERASE, &what);
}

void PadUInput::serve_pad(uint8_t pad, PadFeedback& feedback) {
  input_event event{};
  while (devices_[pad] && calls_.read(devices_[pad].get(), &event, sizeof event) == sizeof event) {
    if (event.type == EV_UINPUT && event.code == UI_FF_UPLOAD)
      upload(pad, event.value, feedback);
    else if (event.type == EV_UINPUT && event.code == UI_FF_ERASE)
      erase(pad, event.value, feedback);
    else if (event.type == EV_FF && event.code == FF_GAIN)
      feedback.set_gain(pad, static_cast<uint16_t>(std::clamp(event.value, 0, 0xffff)));
    else if (event.type == EV_FF)
      feedback.play_effect(pad, kKernel, event.code, event.value);
  }
}

void PadUInput::serve(PadFeedback& feedback) {
  epoll_event events[kPadsMost];
  const int count = epoll_wait(epoll_.get(), events, kPadsMost, 0);
  for (int i = 0; i < count; ++i)
    serve_pad(static_cast<uint8_t>(events[i].data.u64), feedback);
}

}  // namespace vitrine
