// SPDX-License-Identifier: LGPL-2.1-or-later
// The page speaks the browser's language, with room for it; English loads nothing, nor does what is not there.
// LANGUAGE_PICTURES names a folder for pictures of each.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Stage, freePort, healthy, need, password, showing, until } from './harness.mjs';

need('Xvfb', 'xterm');
const stage = new Stage();
let port, browser;

before(async () => {
  port = await freePort();
  const session = stage.start(process.env.VITRINE, ['--virtual=640x480', `--port=${port}`, '--profile=software-vp8', '--no-audio', '--', 'xterm'],
    { env: { DISPLAY: '', XAUTHORITY: '', VITRINE_PASSWORD: password } });
  await healthy(port, session);
  browser = await stage.chromium();
});
after(() => stage.close());

/** What sticks out of the window or of what holds it, or is covered; runs in the page. */
function misplaced() {
  const bar = document.getElementById('bar').getBoundingClientRect();
  return [...document.querySelectorAll('#bar, #bar *, #panel, #panel *, #notices, #notices *')].filter((element) => {
    const box = element.getBoundingClientRect();
    const out = box.left < 0 || box.right > innerWidth || box.top < 0 || box.bottom > innerHeight;
    return box.width && (out || (element.clientWidth && element.scrollWidth > element.clientWidth) || (element.id === 'panel' && box.top < bar.bottom));
  }).map((element) => element.outerHTML);
}

for (const [locale, lang, word, figure] of [
  ['de-AT', 'de', 'Statistik', 'Umlaufzeit'], ['fr-CA', 'fr', 'Statistiques', 'Aller-retour'], ['es-MX', 'es', 'Estadísticas', 'Ida y vuelta'],
  ['zh-CN', 'zh-CN', '统计', '往返时间'], ['ja-JP', 'ja', '統計', '往復時間'], ['ko-KR', 'ko', '통계', '왕복 시간'],
  ['en-GB', 'en', 'Statistics', 'Round trip'], ['eo', 'en', 'Statistics', 'Round trip'],
]) {
  test(`${locale}: the page is in ${lang}`, async (t) => {
    const context = await browser.newContext({ locale, httpCredentials: { username: 'user', password }, viewport: { width: 900, height: 600 } });
    t.after(() => context.close());
    const page = await context.newPage();
    const asked = [];
    page.on('response', (answer) => answer.url().includes('locale-') && asked.push(answer));
    await page.goto(`http://127.0.0.1:${port}/`);
    await showing(page);
    assert.equal(await page.evaluate(() => document.documentElement.lang), lang);
    assert.equal(await page.innerText('#panel-toggle'), word);
    assert.deepEqual(asked.map((answer) => answer.status()), lang === 'en' ? [] : [200]);
    await page.click('#panel-toggle');
    await until(`figures named in ${lang}`, async () => (await page.innerText('#figures')).includes(figure));
    for (const width of [900, 360]) {
      await page.setViewportSize({ width, height: 640 });
      await until(`room for all at ${width} pixels`, async () => {
        const wrong = await page.evaluate(misplaced);
        if (wrong.length) throw new Error(wrong.join('\n'));
        return true;
      }, 3000);
      if (process.env.LANGUAGE_PICTURES) await page.screenshot({ path: path.join(process.env.LANGUAGE_PICTURES, `${locale}-${width}.png`) });
    }
  });
}
