// SPDX-License-Identifier: LGPL-2.1-or-later
// A fake of the browser's Gamepad API, for no gamepad can be plugged into a headless browser.

/** Puts gamepads into the page, before its own scripts. `window.pads` is what tests turn. */
export function fakeGamepads() {
  const pads = [];
  Object.defineProperty(navigator, 'getGamepads', { value: () => pads });
  const rumbles = [];
  window.pads = {
    rumbles,
    plug(index, { id = `Pad ${index}`, mapping = 'standard', buttons = 17, axes = 4 } = {}) {
      pads[index] = {
        index, id, mapping, connected: true, timestamp: 0, axes: new Array(axes).fill(0),
        buttons: Array.from({ length: buttons }, () => ({ pressed: false, touched: false, value: 0 })),
        vibrationActuator: {
          playEffect: async (type, effect) => rumbles.push({ index, type, ...effect }),
          reset: async () => rumbles.push({ index, type: 'reset' }),
        },
      };
      window.dispatchEvent(new Event('gamepadconnected'));
    },
    unplug(index) {
      pads[index] = null;
      window.dispatchEvent(new Event('gamepaddisconnected'));
    },
    press(index, button, value = 1) {
      pads[index].buttons[button] = { pressed: value > 0.1, touched: value > 0, value };
    },
    move(index, axis, value) {
      pads[index].axes[axis] = value;
    },
  };
}

/** Does `what` in a page with fakeGamepads: plug, unplug, press, move. */
export const pad = (page, what, ...values) => page.evaluate(([name, list]) => window.pads[name](...list), [what, values]);

/** What tests/gamepads/pad-reader.cpp says when one with the standard layout is plugged in as the desktop's `number`th. */
export const xbox = (number) => `+ ${number} Xbox 360 Controller buttons=11 axes=6 hats=1 mapped=1 rumble=1`;
