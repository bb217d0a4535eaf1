// SPDX-License-Identifier: LGPL-2.1-or-later
// The page speaks the browser's language: German, simplified Chinese, Japanese; English loads nothing, nor does what is not there.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Stage, freePort, healthy, need, password, showing } from './harness.mjs';

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

for (const [locale, lang, word] of [['de-AT', 'de', 'Statistik'], ['zh-CN', 'zh-CN', '统计'], ['ja-JP', 'ja', '統計'], ['en-GB', 'en', 'Statistics'],
  ['eo', 'en', 'Statistics']]) {
  test(`${locale}: the page is in ${lang}`, async () => {
    const context = await browser.newContext({ locale, httpCredentials: { username: 'user', password }, viewport: { width: 900, height: 600 } });
    const page = await context.newPage();
    const asked = [];
    page.on('request', (request) => request.url().includes('locale-') && asked.push(request.url()));
    await page.goto(`http://127.0.0.1:${port}/`);
    await showing(page);
    assert.equal(await page.evaluate(() => document.documentElement.lang), lang);
    assert.match(await page.evaluate(() => document.body.textContent + [...document.querySelectorAll('[title],[aria-label]')]
      .map((element) => `${element.title} ${element.ariaLabel}`).join(' ')), new RegExp(word));
    assert.equal(asked.length, lang === 'en' ? 0 : 1);
    if (process.env.LANGUAGE_PICTURES) await page.screenshot({ path: path.join(process.env.LANGUAGE_PICTURES, `${locale}.png`) });
    await context.close();
  });
}
