// A text screen as pixels: what a guest's display shows, in letters of three by five dots.

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** 0xRRGGBB, row by row. */
  readonly pixels: Uint32Array;
}

/** Five rows of three dots, each row an octal digit. Small letters are shown as capitals. */
const glyphs: Record<string, string> = {
  ...{ A: '25755', B: '65656', C: '34443', D: '65556', E: '74647', F: '74644', G: '34553', H: '55755', I: '72227' },
  ...{ J: '11152', K: '55655', L: '44447', M: '57755', N: '65555', O: '25552', P: '65644', Q: '25563', R: '65655' },
  ...{ S: '34216', T: '72222', U: '55557', V: '55552', W: '55775', X: '55255', Y: '55222', Z: '71247' },
  ...{ 0: '75557', 1: '26227', 2: '61247', 3: '61216', 4: '55711', 5: '74616', 6: '34757', 7: '71222', 8: '75757' },
  ...{ 9: '75716', '-': '00700', '.': '00002', ',': '00024', ':': '02020', ';': '02024', _: '00007', '/': '11244' },
  ...{ '(': '12221', ')': '42224', '[': '64446', ']': '31113', '#': '57575', '=': '07070', '+': '02720' },
  ...{ '%': '51245', "'": '22000', '"': '55000', '>': '42124', '<': '12421', '*': '52520', '|': '22222' },
  ...{ '?': '61202', '!': '22202', '@': '75747', '~': '03600', '&': '25253' },
};

const dots = 3;
const cell = { width: 12, height: 20 };
export const columns = 60;
export const rows = 20;
const ground = 0x101418;
const ink = 0xc8d0d8;

/** What the lines say; what is longer is cut off, and so are lines beyond the last row. */
export function paint(lines: readonly string[]): Picture {
  const width = columns * cell.width;
  const height = rows * cell.height;
  const pixels = new Uint32Array(width * height).fill(ground);
  for (const [row, line] of lines.slice(0, rows).entries()) {
    for (const [column, sign] of [...line.slice(0, columns)].entries()) {
      const glyph = sign === ' ' ? undefined : (glyphs[sign.toUpperCase()] ?? '75557');
      for (const [y, bits] of [...(glyph ?? '')].entries()) {
        for (let x = 0; x < 3; x += 1) {
          if (!(Number(bits) & (4 >> x))) continue;
          const left = column * cell.width + 2 + x * dots;
          const top = row * cell.height + 2 + y * dots;
          for (let dot = 0; dot < dots; dot += 1) {
            pixels.fill(ink, (top + dot) * width + left, (top + dot) * width + left + dots);
          }
        }
      }
    }
  }
  return { width, height, pixels };
}
