// What is asked before a paste: several lines run as several commands, on a machine that may be the wrong one.
import { pasteGuard as words } from '../words/console.ts';

export interface PasteQuestion {
  lines: number;
  /** The first lines, control characters made visible. */
  preview: string;
}

const SHOWN = 8;

/** Null where the text may go in unasked: one line, with or without its end. */
export function pasteQuestion(text: string): PasteQuestion | null {
  const lines = text.replace(/(\r\n|\r|\n)$/, '').split(/\r\n|\r|\n/);
  if (lines.length < 2) return null;
  const shown = lines.slice(0, SHOWN).map((line) => visible(line.length > 200 ? `${line.slice(0, 199)}…` : line));
  if (lines.length > SHOWN) shown.push(words.more(lines.length - SHOWN));
  return { lines: lines.length, preview: shown.join('\n') };
}

/** Escape and its like as their pictures (␛), so that nothing hides in what is shown. */
const visible = (line: string) =>
  line.replace(/[^\t\P{Cc}]/gu, (sign) => {
    const code = sign.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : '␡';
  });
