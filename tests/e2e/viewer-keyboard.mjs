// SPDX-License-Identifier: LGPL-2.1-or-later
// Keyboards of several layouts, as a browser reports them: what each key prints alone and with Shift, and some with AltGr.

const rows = [
  'Backquote Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal',
  'KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight',
  'KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote',
  'KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash',
].map((row) => row.split(' '));

/** Each: four rows alone, four rows with Shift (a space: a dead key or none), keys with AltGr, and a text to type. */
export const layouts = {
  us: [['`1234567890-=', 'qwertyuiop[]', "asdfghjkl;'", 'zxcvbnm,./'], ['~!@#$%^&*()_+', 'QWERTYUIOP{}', 'ASDFGHJKL:"', 'ZXCVBNM<>?'], {},
    'The quick Brown fox jumps: {a} [b] ~100% "q" <3'],
  gb: [['`1234567890-=', 'qwertyuiop[]', "asdfghjkl;'", 'zxcvbnm,./'], ['¬!"£$%^&*()_+', 'QWERTYUIOP{}', 'ASDFGHJKL:@', 'ZXCVBNM<>?'], { Digit4: '€' },
    'Tea for "two" at £3.50 ¬ me@home €'],
  de: [[' 1234567890ß ', 'qwertzuiopü+', 'asdfghjklöä', 'yxcvbnm,.-'], ['°!"§$%&/()=? ', 'QWERTZUIOPÜ*', 'ASDFGHJKLÖÄ', 'YXCVBNM;:_'],
    { KeyQ: '@', KeyE: '€', Digit7: '{', Digit0: '}', Digit8: '[', Digit9: ']', KeyM: 'µ' }, 'Zwölf Boxkämpfer jagen § Öl, Äß @ 5€ {x} [y] µ'],
  fr: [['²&é"\'(-è_çà)=', 'azertyuiop $', 'qsdfghjklmù', 'wxcvbn,;:!'], [' 1234567890°+', 'AZERTYUIOP £', 'QSDFGHJKLM%', 'WXCVBN?./§'],
    { Digit0: '@', KeyE: '€', Digit4: '{', Equal: '}' }, 'Portez ce vieux whisky à l\'été: ça, où? 1234 @ € {§}'],
  es: [['º1234567890\'¡', 'qwertyuiop +', 'asdfghjklñ ', 'zxcvbnm,.-'], ['ª!"·$%&/()=?¿', 'QWERTYUIOP *', 'ASDFGHJKLÑ ', 'ZXCVBNM;:_'],
    { Digit2: '@', KeyE: '€' }, '¿Un ratito? ¡Niño Ñato! 1ª 2º @ €'],
  it: [['\\1234567890\'ì', 'qwertyuiopè+', 'asdfghjklòà', 'zxcvbnm,.-'], ['|!"£$%&/()=?^', 'QWERTYUIOPé*', 'ASDFGHJKLç°', 'ZXCVBNM;:_'],
    { Quote: '#', Semicolon: '@' }, 'Perché così? Città bella, però: 30° @ # ç |'],
  se: [['§1234567890+ ', 'qwertyuiopå ', 'asdfghjklöä', 'zxcvbnm,.-'], ['½!"#¤%&/()=? ', 'QWERTYUIOPÅ ', 'ASDFGHJKLÖÄ', 'ZXCVBNM;:_'],
    { Digit2: '@', Digit4: '$' }, 'Flygande bäckasiner söka hwila på Åland ½ @ $ ¤'],
  cz: [[';+ěščřžýáíé= ', 'qwertzuiopú)', 'asdfghjklů§', 'yxcvbnm,.-'], [' 1234567890% ', 'QWERTZUIOP/(', 'ASDFGHJKL"!', 'YXCVBNM?:_'], {},
    'Příliš žluté kůzle úpělo u řeky § 123!'],
  ru: [['ё1234567890-=', 'йцукенгшщзхъ', 'фывапролджэ', 'ячсмитьбю.'], ['Ё!"№;%:?*()_+', 'ЙЦУКЕНГШЩЗХЪ', 'ФЫВАПРОЛДЖЭ', 'ЯЧСМИТЬБЮ,'], {},
    'Съешь ещё этих мягких французских булок, да выпей же чаю № 5'],
  gr: [['`1234567890-=', ';ςερτυθιοπ[]', "ασδφγηξκλ '", 'ζχψωβνμ,./'], ['~!@#$%^&*()_+', ':ΣΕΡΤΥΘΙΟΠ{}', 'ΑΣΔΦΓΗΞΚΛ "', 'ΖΧΨΩΒΝΜ<>?'], {},
    'Γαζιες και μυρτιες δεν θα βρω πια στο χρυσαφι ξεφωτο ς;'],
  il: [[';1234567890-=', '/\'קראטוןםפ][', 'שדגכעיחלךף,', 'זסבהנמצתץ.'], ['~!@#$%^&*)(_+', 'QWERTYUIOP}{', 'ASDFGHJKL:"', 'ZXCVBNM><?'], {},
    'דג סקרן שט בים מאוכזב ולפתע מצא חברה 12'],
  tr: [['"1234567890*-', 'qwertyuıopğü', 'asdfghjklşi', 'zxcvbnmöç.'], ['é!\'^+%&/()=?_', 'QWERTYUIOPĞÜ', 'ASDFGHJKLŞİ', 'ZXCVBNMÖÇ:'],
    { KeyQ: '@', KeyE: '€' }, 'Pijamalı hasta yağız şoföre çabucak güvendi İĞ @ €'],
};

const shift = { key: 'Shift', code: 'ShiftLeft', location: 1, windowsVirtualKeyCode: 16 };
const altGr = { key: 'AltGraph', code: 'AltRight', location: 2, windowsVirtualKeyCode: 225 };

/** A viewer's keyboard on a page, driven by the browser's own protocol. */
export class ViewerKeyboard {
  #browser;
  constructor(browser) {
    this.#browser = browser;
  }
  static async of(page) {
    return new ViewerKeyboard(await page.context().newCDPSession(page));
  }

  async event(type, { key, code, location = 0, windowsVirtualKeyCode = 0 }, modifiers = 0) {
    await this.#browser.send('Input.dispatchKeyEvent', { type, key, code, location, windowsVirtualKeyCode, modifiers });
  }
  /** An input method at work: what it shows, then what it commits. */
  async compose(steps, committed) {
    for (const text of steps)
      await this.#browser.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
    await this.#browser.send('Input.insertText', { text: committed });
  }

  /** Types a text on a layout, each character by its key. */
  async type(name, text) {
    const [alone, shifted, thirds] = layouts[name];
    for (const character of text) {
      if (character === ' ') {
        await this.tap({ key: ' ', code: 'Space' });
        continue;
      }
      const find = (lines) => {
        for (const [row, line] of lines.entries())
          if ([...line].includes(character)) return rows[row][[...line].indexOf(character)];
        return undefined;
      };
      const code = find(alone), upper = find(shifted), third = Object.keys(thirds).find((one) => thirds[one] === character);
      if (code) {
        await this.tap({ key: character, code });
      } else if (upper) {
        await this.event('keyDown', shift, 8);
        await this.tap({ key: character, code: upper }, 8);
        await this.event('keyUp', shift);
      } else if (third) {
        await this.event('keyDown', altGr);
        await this.tap({ key: character, code: third });
        await this.event('keyUp', altGr);
      } else {
        throw new Error(`${name} has no key for ${character}`);
      }
    }
  }
  async tap(key, modifiers = 0) {
    await this.event('keyDown', key, modifiers);
    await this.event('keyUp', key, modifiers);
  }
}
