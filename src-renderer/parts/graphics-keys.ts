// Keys that the window's own system keeps for itself, or that no keyboard here has: sent from a menu, as X names them.
import { guestKeys as words } from '../words/graphics.ts';

export interface GuestKey {
  keysym: number;
  /** Where it is on the keyboard, as browsers name it; left out: only what it stands for is known. */
  code?: string;
}

const control: GuestKey = { keysym: 0xffe3, code: 'ControlLeft' };
const alt: GuestKey = { keysym: 0xffe9, code: 'AltLeft' };
const functionKey = (number: number): GuestKey => ({ keysym: 0xffbd + number, code: `F${number}` });

export interface Chord {
  id: string;
  label: string;
  /** Pressed in this order, let go in the other. */
  keys: GuestKey[];
}

export const attention: Chord = {
  id: 'ctrl-alt-del',
  label: words.attention,
  keys: [control, alt, { keysym: 0xffff, code: 'Delete' }],
};

export const chords: (Chord | 'line')[] = [
  attention,
  {
    id: 'ctrl-alt-backspace',
    label: words.backspace,
    keys: [control, alt, { keysym: 0xff08, code: 'Backspace' }],
  },
  'line',
  ...[1, 2, 3, 4, 5, 6, 7].map((number) => ({
    id: `ctrl-alt-f${number}`,
    label: words.terminal(number),
    keys: [control, alt, functionKey(number)],
  })),
  'line',
  { id: 'alt-tab', label: words.nextWindow, keys: [alt, { keysym: 0xff09, code: 'Tab' }] },
  { id: 'alt-f4', label: words.closeWindow, keys: [alt, functionKey(4)] },
  { id: 'super', label: words.super, keys: [{ keysym: 0xffeb, code: 'MetaLeft' }] },
  { id: 'print', label: words.print, keys: [{ keysym: 0xff61, code: 'PrintScreen' }] },
  { id: 'escape', label: words.escape, keys: [{ keysym: 0xff1b, code: 'Escape' }] },
];

/** What stands for a letter; the guest's own layout decides which key that is. */
export function keyOf(sign: string): GuestKey {
  const code = sign.codePointAt(0) ?? 0;
  if (sign === '\n') return { keysym: 0xff0d };
  if (sign === '\t') return { keysym: 0xff09 };
  return { keysym: code < 0x100 ? code : 0x01000000 + code };
}
