// Keys that the window's own system keeps for itself, or that no keyboard here has: sent from a menu, as X names them.

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
  label: 'Ctrl+Alt+Del',
  keys: [control, alt, { keysym: 0xffff, code: 'Delete' }],
};

export const chords: (Chord | 'line')[] = [
  attention,
  {
    id: 'ctrl-alt-backspace',
    label: 'Ctrl+Alt+Backspace',
    keys: [control, alt, { keysym: 0xff08, code: 'Backspace' }],
  },
  'line',
  ...[1, 2, 3, 4, 5, 6, 7].map((number) => ({
    id: `ctrl-alt-f${number}`,
    label: `Ctrl+Alt+F${number}`,
    keys: [control, alt, functionKey(number)],
  })),
  'line',
  { id: 'alt-tab', label: 'Alt+Tab', keys: [alt, { keysym: 0xff09, code: 'Tab' }] },
  { id: 'alt-f4', label: 'Alt+F4', keys: [alt, functionKey(4)] },
  { id: 'super', label: 'Windows key', keys: [{ keysym: 0xffeb, code: 'MetaLeft' }] },
  { id: 'print', label: 'Print Screen', keys: [{ keysym: 0xff61, code: 'PrintScreen' }] },
  { id: 'escape', label: 'Esc', keys: [{ keysym: 0xff1b, code: 'Escape' }] },
];

/** What stands for a letter; the guest's own layout decides which key that is. */
export function keyOf(sign: string): GuestKey {
  const code = sign.codePointAt(0) ?? 0;
  if (sign === '\n') return { keysym: 0xff0d };
  if (sign === '\t') return { keysym: 0xff09 };
  return { keysym: code < 0x100 ? code : 0x01000000 + code };
}
