// SPDX-License-Identifier: LGPL-2.1-or-later
// Answers from a PadPage.
#include "remote/gamepad/preload/pad-ioctl.h"

#include <errno.h>
#include <linux/joystick.h>
#include <string.h>

namespace vitrine {

using namespace pad_abi;

namespace {

/// Buttons in the order in which the kernel's joystick interface counts them: joystick buttons first.
constexpr unsigned kButtonCodes = KEY_MAX - BTN_MISC + 1;
constexpr unsigned button_code(unsigned index) {
  constexpr unsigned first = KEY_MAX - BTN_JOYSTICK + 1;
  return index < first ? BTN_JOYSTICK + index : BTN_MISC + (index - first);
}

size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

int copy(void* to, const void* from, size_t length, size_t room) {
  const size_t size = smaller(length, room);
  memcpy(to, from, size);
  return static_cast<int>(size);
}

/// Bits as the kernel gives them out: whole words, as far as there is room.
int copy_bits(void* to, const uint8_t* bits, size_t count, size_t room) {
  constexpr size_t word = sizeof(long);
  const size_t bytes = (count + 7) / 8, whole = (bytes + word - 1) / word * word, size = smaller(whole, room);
  memset(to, 0, size);
  if (bits)
    memcpy(to, bits, smaller(bytes, size));
  return static_cast<int>(size);
}

int types_of(const PadPage& page, void* to, size_t room) {
  uint8_t types[(EV_CNT + 7) / 8] = {};
  types[0] = 1 << EV_SYN | 1 << EV_KEY | 1 << EV_ABS;
  for (const uint8_t byte : page.effects)
    if (byte)
      types[EV_FF / 8] |= 1 << EV_FF % 8;
  return copy_bits(to, types, EV_CNT, room);
}

int bits_of_type(const PadPage& page, unsigned type, void* to, size_t room) {
  switch (type) {
    case 0:
      return types_of(page, to, room);
    case EV_KEY:
      return copy_bits(to, page.keys, KEY_CNT, room);
    case EV_ABS:
      return copy_bits(to, page.axes, ABS_CNT, room);
    case EV_FF:
      return copy_bits(to, page.effects, FF_CNT, room);
    case EV_REL:
      return copy_bits(to, nullptr, REL_CNT, room);
    case EV_MSC:
      return copy_bits(to, nullptr, MSC_CNT, room);
    case EV_LED:
      return copy_bits(to, nullptr, LED_CNT, room);
    case EV_SND:
      return copy_bits(to, nullptr, SND_CNT, room);
    case EV_SW:
      return copy_bits(to, nullptr, SW_CNT, room);
    default:
      return -EINVAL;
  }
}

int copy_name(const PadPage& page, void* to, size_t room) { return copy(to, page.name, strnlen(page.name, sizeof page.name - 1) + 1, room); }

}  // namespace

int answer_event_ioctl(const PadPage& page, unsigned long request, void* argument) {
  const unsigned number = _IOC_NR(request);
  const size_t room = _IOC_SIZE(request);
  switch (request) {
    case EVIOCGVERSION:
      *static_cast<int*>(argument) = EV_VERSION;
      return 0;
    case EVIOCGID:
      memcpy(argument, &page.id, sizeof page.id);
      return 0;
    case EVIOCGEFFECTS:
      *static_cast<int*>(argument) = kEffectsMost;
      return 0;
    default:
      break;
  }
  if (_IOC_DIR(request) != _IOC_READ)
    return -EINVAL;
  if (number >= 0x40 && number < 0x40 + ABS_CNT) {
    const unsigned axis = number - 0x40;
    if (!bit(page.axes, axis))
      return -EINVAL;
    copy(argument, &page.values[axis], sizeof page.values[axis], room);
    return 0;
  }
  if (number >= 0x20 && number < 0x20 + EV_CNT)
    return bits_of_type(page, number - 0x20, argument, room);
  switch (number) {
    case _IOC_NR(EVIOCGNAME(0)):
      return copy_name(page, argument, room);
    case _IOC_NR(EVIOCGPHYS(0)):
      return copy(argument, "vitrine", sizeof "vitrine", room);
    case _IOC_NR(EVIOCGUNIQ(0)):
      return -ENOENT;
    case _IOC_NR(EVIOCGPROP(0)):
      return copy_bits(argument, nullptr, INPUT_PROP_CNT, room);
    case _IOC_NR(EVIOCGKEY(0)):
      return copy_bits(argument, page.pressed, KEY_CNT, room);
    case _IOC_NR(EVIOCGLED(0)):
      return copy_bits(argument, nullptr, LED_CNT, room);
    case _IOC_NR(EVIOCGSND(0)):
      return copy_bits(argument, nullptr, SND_CNT, room);
    case _IOC_NR(EVIOCGSW(0)):
      return copy_bits(argument, nullptr, SW_CNT, room);
    default:
      return -EINVAL;
  }
}

int answer_joystick_ioctl(const PadPage& page, unsigned long request, void* argument) {
  const size_t room = _IOC_SIZE(request);
  uint8_t axes[ABS_CNT] = {};
  uint16_t buttons[kButtonCodes] = {};
  unsigned axis_count = 0, button_count = 0;
  for (unsigned code = 0; code < ABS_CNT; ++code)
    if (bit(page.axes, code))
      axes[axis_count++] = static_cast<uint8_t>(code);
  for (unsigned index = 0; index < kButtonCodes; ++index)
    if (bit(page.keys, button_code(index)))
      buttons[button_count++] = static_cast<uint16_t>(button_code(index));
  switch (request) {
    case JSIOCGVERSION:
      *static_cast<uint32_t*>(argument) = JS_VERSION;
      return 0;
    case JSIOCGAXES:
      *static_cast<uint8_t*>(argument) = static_cast<uint8_t>(axis_count);
      return 0;
    case JSIOCGBUTTONS:
      *static_cast<uint8_t*>(argument) = static_cast<uint8_t>(button_count);
      return 0;
    case JSIOCGCORR:
      // Not corrected: values are scaled already.
      memset(argument, 0, axis_count * sizeof(js_corr));
      return 0;
    default:
      break;
  }
  if (_IOC_DIR(request) != _IOC_READ)
    return -EINVAL;
  switch (_IOC_NR(request)) {
    case _IOC_NR(JSIOCGNAME(0)):
      return copy_name(page, argument, room);
    case _IOC_NR(JSIOCGAXMAP):
      return copy(argument, axes, sizeof axes, room);
    case _IOC_NR(JSIOCGBTNMAP):
      return copy(argument, buttons, sizeof buttons, room);
    default:
      return -EINVAL;
  }
}

bool pad_effect_of(const ff_effect& effect, PadEffect& made) {
  made = {0, 0, effect.replay.length, effect.replay.delay};
  if (effect.type == FF_RUMBLE) {
    made.strong = effect.u.rumble.strong_magnitude;
    made.weak = effect.u.rumble.weak_magnitude;
    return true;
  }
  if (effect.type != FF_PERIODIC)
    return false;
  // As the kernel does for gamepads without motors for waves.
  const int twice = 2 * effect.u.periodic.magnitude;
  const int strength = twice < 0 ? -twice : twice;
  made.strong = made.weak = static_cast<uint16_t>(strength > 0xffff ? 0xffff : strength);
  return true;
}

}  // namespace vitrine
