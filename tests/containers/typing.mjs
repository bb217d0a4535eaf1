// SPDX-License-Identifier: LGPL-2.1-or-later
// How text is typed into what an image shows, and how it is found to have arrived.
import { until } from '../e2e/harness.mjs';

const text = 'äpfel für zwei';

/** Clicks until the terminal has the focus and prints what is typed: it may still be starting. */
async function typeCommand(page, container) {
  await until('what was typed to arrive', async () => {
    await page.mouse.click(400, 300);
    await page.keyboard.type(`echo ${text} > /tmp/typed\n`, { delay: 15 });
    return container.exec('cat', '/tmp/typed').out.trim() === text;
  }, 40000);
}

/** A page whose title is what is typed; the window's title follows. */
const field = 'data:text/html,<meta charset=utf-8><title>typing</title><body style="margin:0"><textarea autofocus oninput="document.title=this.value" '
  + 'style="width:100%;height:100vh;border:0;font-size:40px;background:lightyellow"></textarea>';

async function typeIntoPage(page, container) {
  await until('the page in the image’s browser', () => container.onDisplay('xwininfo -root -tree').out.includes('typing'), 40000);
  await page.mouse.click(600, 500);
  await page.keyboard.type(text, { delay: 15 });
  await until('what was typed to arrive', () => container.onDisplay('LC_ALL=C.UTF-8 xwininfo -root -tree').out.includes(text), 20000);
}

async function typeOnDesktop(page, container) {
  await until('the panel', () => container.onDisplay('xwininfo -root -tree').out.includes('xfce4-panel'), 40000);
  await until('a terminal by its shortcut', async () => {
    await page.mouse.click(600, 500);
    await page.keyboard.press('Control+Alt+t');
    return until('its window', () => /xfce4-terminal|Terminal/.test(container.onDisplay('xwininfo -root -tree').out), 5000).catch(() => false);
  }, 40000);
  await until('what was typed to arrive', async () => {
    await page.keyboard.type(`echo ${text} > /tmp/typed\n`, { delay: 15 });
    return container.exec('cat', '/tmp/typed').out.trim() === text;
  }, 30000);
}

/** Arguments to start `image` with and how to type into it; nothing for what has no place for text at its start. */
export function typedIn(image) {
  switch (image) {
    case 'base':
    case 'app':
      return { type: typeCommand };
    case 'desktop':
    case 'desktop-glx':
      return { type: typeOnDesktop };
    case 'chromium':
      return { args: ['vitrine-chromium', field], type: typeIntoPage };
    case 'firefox':
      return { args: ['firefox-esr', field], type: typeIntoPage };
    default:
      return undefined;
  }
}
