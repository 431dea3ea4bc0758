// A serial console's screen on xterm.js, which is loaded when the first console opens. It outlives the pane it is in.
import type { ITheme, Terminal as Xterm } from '@xterm/xterm';
import type { FitAddon } from '@xterm/addon-fit';
import type { SearchAddon } from '@xterm/addon-search';
import { copyText } from './clipboard.ts';
import type { LogFile } from './files.ts';

/** What the pane, while there is one, does about what happens in the terminal. */
export interface TerminalHandlers {
  type(bytes: Uint8Array): void;
  /** Text that was pasted; nothing is typed unless `paste` is called with it. */
  pasted(text: string): void;
  /** A link that was clicked with Ctrl (or Cmd) held. */
  link(uri: string): void;
  /** Ctrl+Shift+F, and Ctrl+Shift+E for leaving the terminal by keyboard. */
  find(): void;
  leave(): void;
  /** Ctrl with + or -, and Ctrl+0: letters larger, smaller, as usual. */
  size(step: 1 | -1 | 0): void;
}

/** How large letters are, in pixels. */
export const usualFontSize = 13;
const fontSizes = { least: 8, most: 32 };
export const nextFontSize = (size: number, step: 1 | -1 | 0) =>
  step === 0 ? usualFontSize : Math.min(fontSizes.most, Math.max(fontSizes.least, size + step));

export interface Found {
  /** Which of them is marked, from 0; -1 for none. */
  index: number;
  count: number;
}

const encoder = new TextEncoder();
const SCROLLBACK = 10_000;

/** Dark in both themes: what guests print is coloured for a dark ground. */
const theme: ITheme = {
  background: '#14171d',
  foreground: '#d7dbe2',
  cursor: '#d7dbe2',
  cursorAccent: '#14171d',
  selectionBackground: '#3a5488',
  selectionInactiveBackground: '#2c3a55',
  black: '#2a2f3a',
  red: '#f0736a',
  green: '#6cc98a',
  yellow: '#e0b457',
  blue: '#7ba5f0',
  magenta: '#c792e0',
  cyan: '#62c3cf',
  white: '#d7dbe2',
  brightBlack: '#7d8595',
  brightRed: '#ff958d',
  brightGreen: '#8fe0a8',
  brightYellow: '#f3cd7d',
  brightBlue: '#a0c0ff',
  brightMagenta: '#dfb3f3',
  brightCyan: '#8edce6',
  brightWhite: '#ffffff',
};

/** Loads xterm.js and makes a terminal that stands in no pane yet. */
export async function openTerminal(): Promise<TerminalScreen> {
  const [{ Terminal }, { FitAddon }, { SearchAddon }, { WebLinksAddon }, { Unicode11Addon }] = await Promise.all([
    import('@xterm/xterm'),
    import('@xterm/addon-fit'),
    import('@xterm/addon-search'),
    import('@xterm/addon-web-links'),
    import('@xterm/addon-unicode11'),
    import('@xterm/xterm/css/xterm.css'),
  ]);
  // A plain click only selects: what a guest prints must not be able to open pages by itself.
  const onLink = (event: MouseEvent, uri: string) => {
    if ((event.ctrlKey || event.metaKey) && /^https?:/i.test(uri)) screen.handlers?.link(uri);
  };
  const xterm = new Terminal({
    allowProposedApi: true, // unicode11
    scrollback: SCROLLBACK,
    fontFamily: 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace',
    fontSize: usualFontSize,
    lineHeight: 1.2,
    cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
    macOptionIsMeta: true,
    minimumContrastRatio: 4.5,
    theme,
    linkHandler: { activate: (event, uri) => onLink(event, uri) },
  });
  const fit = new FitAddon();
  const search = new SearchAddon();
  xterm.loadAddon(fit);
  xterm.loadAddon(search);
  xterm.loadAddon(new WebLinksAddon(onLink));
  xterm.loadAddon(new Unicode11Addon());
  xterm.unicode.activeVersion = '11';
  const screen = new TerminalScreen(xterm, fit, search);
  return screen;
}

export class TerminalScreen {
  /** The pane's, while it shows this terminal; what is typed without one goes nowhere. */
  handlers: TerminalHandlers | null = null;
  /** Where what the guest says is written, too; it goes on while no pane shows this terminal. */
  log: LogFile | null = null;
  /** The admin said not to be asked about pastes again. */
  pastesUnasked = false;
  readonly #xterm: Xterm;
  readonly #fit: FitAddon;
  readonly #search: SearchAddon;
  /** Moved from pane to pane; xterm.js stays opened in it. */
  readonly #element = document.createElement('div');
  #opened = false;
  /** What came while a note waited for the line that it goes to. */
  #held: (() => void)[] | null = null;

  constructor(xterm: Xterm, fit: FitAddon, search: SearchAddon) {
    this.#xterm = xterm;
    this.#fit = fit;
    this.#search = search;
    this.#element.style.cssText = 'width:100%;height:100%';
    xterm.onData((text) => this.handlers?.type(encoder.encode(text)));
    xterm.onBinary((text) => this.handlers?.type(Uint8Array.from(text, (sign) => sign.charCodeAt(0))));
    xterm.attachCustomKeyEventHandler((event) => this.#key(event));
    this.#element.addEventListener('paste', (event) => this.#paste(event), { capture: true });
  }

  // --- What the session writes ---

  write(bytes: Uint8Array, shown: () => void) {
    if (this.#held) {
      this.#held.push(() => this.write(bytes, shown));
      return;
    }
    this.log?.write(bytes);
    this.#xterm.write(bytes, shown);
  }

  /** A line in italics: dim text has too little contrast. It leaves the guest's colours and its full-screen programs alone. */
  note(text: string) {
    if (this.#held) {
      this.#held.push(() => this.note(text));
      return;
    }
    const words = `\x1b[3m— ${text.replaceAll(/\p{Cc}/gu, '')} —\x1b[23m\r\n`;
    // What was written before may still be on its way to the buffer; what comes after waits for its turn.
    const held: (() => void)[] = (this.#held = []);
    this.#xterm.write('', () => {
      const buffer = this.#xterm.buffer.active;
      if (buffer.type !== 'alternate') this.#xterm.write(buffer.cursorX > 0 ? `\r\n${words}` : words);
      this.#held = null;
      for (const each of held) each();
    });
  }

  dispose() {
    this.handlers = null;
    void this.log?.end();
    this.#element.remove();
    this.#xterm.dispose();
  }

  // --- What the pane does ---

  /** Puts the terminal into a pane; the answer takes it out again, unless it stands elsewhere by then. */
  mount(pane: HTMLElement, handlers: TerminalHandlers): () => void {
    pane.append(this.#element);
    if (!this.#opened) {
      this.#xterm.open(this.#element);
      this.#opened = true;
    }
    this.handlers = handlers;
    const watch = new ResizeObserver(() => this.fit());
    watch.observe(pane);
    this.fit();
    return () => {
      watch.disconnect();
      if (this.handlers !== handlers) return;
      this.handlers = null;
      this.#element.remove();
    };
  }

  fit() {
    if (this.#element.clientHeight > 0 && this.#element.clientWidth > 0) this.#fit.fit();
  }

  focus() {
    this.#xterm.focus();
  }

  set fontSize(size: number) {
    if (this.#xterm.options.fontSize === size) return;
    this.#xterm.options.fontSize = size;
    this.fit();
  }

  /** What is selected, else all that the scrollback holds. */
  text(): string {
    return this.#xterm.hasSelection() ? this.#xterm.getSelection() : this.all();
  }

  /** All that the scrollback holds, as text. */
  all(): string {
    const buffer = this.#xterm.buffer.active;
    const lines: string[] = [];
    for (let row = 0; row < buffer.length; row += 1) {
      const line = buffer.getLine(row);
      const words = line?.translateToString(true) ?? '';
      if (line?.isWrapped && lines.length > 0) lines[lines.length - 1] += words;
      else lines.push(words);
    }
    return lines.join('\n').trimEnd();
  }

  get hasSelection(): boolean {
    return this.#xterm.hasSelection();
  }

  /** Drops the scrollback; the line that the cursor is in stays. */
  clear() {
    this.#xterm.clear();
  }

  /** Types what was pasted, bracketed where the guest asked for that. */
  paste(text: string) {
    this.#xterm.paste(text);
  }

  find(words: string, { back = false, anew = false } = {}): boolean {
    if (words === '') {
      this.#search.clearDecorations();
      return false;
    }
    const options = {
      incremental: anew,
      decorations: {
        matchBackground: '#5c4a14',
        activeMatchBackground: '#a37410',
        matchOverviewRuler: '#a37410',
        activeMatchColorOverviewRuler: '#f3cd7d',
      },
    };
    return back ? this.#search.findPrevious(words, options) : this.#search.findNext(words, options);
  }

  onFound(listener: (found: Found) => void): () => void {
    const undo = this.#search.onDidChangeResults(({ resultIndex, resultCount }) =>
      listener({ index: resultIndex, count: resultCount }),
    );
    return () => undo.dispose();
  }

  endFind() {
    this.#search.clearDecorations();
    this.#xterm.clearSelection();
    this.focus();
  }

  /** All keys are the guest's but a few with Ctrl+Shift, which no terminal sends. */
  #key(event: KeyboardEvent): boolean {
    event.stopPropagation(); // the window's shortcuts give way here
    const step = sizeStep(event);
    if (step !== null) {
      event.preventDefault();
      if (event.type === 'keydown') this.handlers?.size(step);
      return false;
    }
    const ours = event.ctrlKey && event.shiftKey && !event.altKey && !event.metaKey;
    if (!ours) return true;
    if (event.code === 'KeyV') return false; // the browser pastes, which needs no permission
    const act = {
      KeyC: () => void copyText(this.#xterm.getSelection()),
      KeyF: () => this.handlers?.find(),
      KeyE: () => this.handlers?.leave(),
    }[event.code];
    if (!act) return true;
    event.preventDefault();
    if (event.type === 'keydown') act();
    return false;
  }

  #paste(event: ClipboardEvent) {
    event.preventDefault();
    event.stopPropagation();
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (text !== '') this.handlers?.pasted(text);
  }
}

/** Ctrl with Shift and - is the guest's: shells undo by it. */
function sizeStep({ key, ctrlKey, shiftKey, altKey, metaKey }: KeyboardEvent): 1 | -1 | 0 | null {
  if (!ctrlKey || altKey || metaKey) return null;
  if (key === '+' || key === '=') return 1;
  if (shiftKey) return null;
  return key === '-' ? -1 : key === '0' ? 0 : null;
}
