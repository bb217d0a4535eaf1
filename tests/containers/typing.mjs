// SPDX-License-Identifier: LGPL-2.1-or-later
// What is typed into what an image shows, and how it is found to have arrived.
import { sleep, until } from '../e2e/harness.mjs';

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
  await until('the panel', () => /xfce4-panel|plasmashell/.test(container.onDisplay('xwininfo -root -tree').out), 40000);
  const plasma = container.onDisplay('xwininfo -root -tree').out.includes('plasmashell');
  await until('a terminal by its shortcut, or by name', async () => {
    await page.mouse.click(600, 500);
    await page.keyboard.press(plasma ? 'Alt+F2' : 'Control+Alt+t');
    if (plasma) {
      await until('the line for commands', () => container.onDisplay('xwininfo -root -tree').out.includes('krunner'), 5000).catch(() => {});
      await page.keyboard.type('konsole', { delay: 60 });
      await sleep(2000);  // it looks for what that may be
      await page.keyboard.press('Enter');
    }
    return until('its window', () => /xfce4-terminal|Terminal|Konsole/.test(container.onDisplay('xwininfo -root -tree').out), 5000).catch(() => false);
  }, 40000);
  await until('what was typed to arrive', async () => {
    await page.keyboard.type(`echo ${text} > /tmp/typed\n`, { delay: 15 });
    return container.exec('cat', '/tmp/typed').out.trim() === text;
  }, 30000);
}

/** A text typed into Kate is in the file that it saves. */
async function typeIntoEditor(page, container) {
  await until('its window', () => container.onDisplay('xwininfo -root -tree').out.includes('Kate'), 60000);
  await until('what was typed to arrive', async () => {
    await page.mouse.click(700, 300);
    await page.keyboard.press('Control+a');
    await page.keyboard.type(text, { delay: 15 });
    await page.keyboard.press('Control+s');
    return container.exec('cat', '/tmp/typed').out.trim() === text;
  }, 60000);
}

/** Control+N and Enter make a new image, whose window says so. */
async function newImage(page, container) {
  await until('its window', () => container.onDisplay('xwininfo -root -tree').out.includes('GNU Image Manipulation Program'), 90000);
  await until('a new image', async () => {
    await page.keyboard.press('Control+n');
    await until('its dialog', () => container.onDisplay('xwininfo -root -tree').out.includes('Create a New Image'), 5000).catch(() => {});
    await page.keyboard.press('Enter');
    return until('the image', () => /"\*?\[Untitled\]-\d/.test(container.onDisplay('xwininfo -root -tree').out), 5000).catch(() => false);
  }, 60000);
}

const scene = 'import bpy; bpy.context.preferences.view.show_splash = False; bpy.ops.wm.save_as_mainfile(filepath="/tmp/scene.blend")';

/** The scene is known to be changed once its cube is deleted: by the key X and Enter, over the view. */
async function deleteCube(page, container) {
  const title = () => /"(Blender\*? [^"]*)"/.exec(container.onDisplay('xwininfo -root -tree').out)?.[1] ?? '';
  await until('its window', () => title().includes('scene.blend'), 90000);
  await until('a changed scene', async () => {
    await page.mouse.move(500 + Math.round(20 * Math.random()), 400);
    await page.keyboard.press('x');
    await page.keyboard.press('Enter');
    return until('its title', () => title().startsWith('Blender*'), 5000).catch(() => false);
  }, 60000);
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
      // It opens no data: address that comes from outside, as its command line does.
      return { args: ['sh', '-c', 'echo "$1" >/tmp/typing.html; exec vitrine-firefox /tmp/typing.html', 'sh', field.replace(/^data:text\/html,/, '')], type: typeIntoPage };
    case 'editor':
      return { args: ['dbus-run-session', '--', 'kate', '/tmp/typed'], type: typeIntoEditor };
    case 'gimp':
      return { type: newImage };
    case 'blender':
      return { args: ['vitrine-gl', 'blender', '--python-expr', scene], type: deleteCube };
    default:
      return undefined;
  }
}
