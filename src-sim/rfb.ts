// The server's side of RFB 3.8 (RFC 6143), VNC's protocol: bytes in, bytes out. Shows a picture in raw encoding, 32 bits a
// pixel, and takes keys. It knows no sockets and no Node, so that a page's tests can have it too.
import type { Picture } from './picture.ts';

export interface RfbServerOptions {
  name: string;
  /** Null: nobody is asked for a password. Else the challenge's 16 bytes, and whether the answer to it is right. */
  auth: { challenge: Uint8Array; right: (answer: Uint8Array) => boolean } | null;
  picture: () => Picture;
  say: (bytes: Uint8Array) => void;
  /** Nothing more comes or goes. */
  over: () => void;
  key: (keysym: number, down: boolean) => void;
  /** Text that the viewer's clipboard holds. */
  cut?: (text: string) => void;
  /** Runs later, unless the answer is called. */
  after: (ms: number, run: () => void) => () => void;
}

/** Between two looks at whether the picture has changed. */
const lookMs = 200;
/** More than this is no message of a viewer's. */
const most = 1 << 20;

type State = 'version' | 'security' | 'auth' | 'init' | 'on' | 'over';

export class RfbServer {
  /** Whether the viewer lets others look, too; null before it said so. */
  shared: boolean | null = null;
  readonly #options: RfbServerOptions;
  #state: State = 'version';
  #held = new Uint8Array(0);
  /** Where each of red, green and blue stands in a pixel. */
  #shifts = [16, 8, 0];
  #shown: Uint32Array | null = null;
  #wanted: 'all' | 'changes' | null = null;
  #undo = () => {};

  constructor(options: RfbServerOptions) {
    this.#options = options;
    this.#say(text('RFB 003.008\n'));
  }

  take(bytes: Uint8Array): void {
    if (this.#state === 'over') return;
    this.#held = joined(this.#held, bytes);
    while (!this.#isOver) {
      const size = this.#size();
      if (size > most) return this.end();
      if (size === 0 || this.#held.length < size) return;
      const message = this.#held.slice(0, size);
      this.#held = this.#held.slice(size);
      this.#read(message);
    }
  }

  get #isOver(): boolean {
    return this.#state === 'over';
  }

  /** The guest puts text on the viewer's clipboard, or tries to. */
  cut(words: string): void {
    if (this.#state === 'on') this.#say(Uint8Array.of(3, 0, 0, 0), u32(words.length), text(words));
  }

  end(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#undo();
    this.#options.over();
  }

  /** How long the next message is, as far as can be told; 0: not yet. */
  #size(): number {
    const held = this.#held;
    const view = new DataView(held.buffer, held.byteOffset, held.byteLength);
    switch (this.#state) {
      case 'version':
        return 12;
      case 'auth':
        return 16;
      case 'security':
      case 'init':
        return 1;
      case 'on':
        break;
      default:
        return 0;
    }
    switch (held[0]) {
      case undefined:
        return 0;
      case 0:
        return 20;
      case 2:
        return held.length < 4 ? 0 : 4 + view.getUint16(2) * 4;
      case 3:
        return 10;
      case 4:
        return 8;
      case 5:
        return 6;
      case 6:
        return held.length < 8 ? 0 : 8 + Math.abs(view.getInt32(4));
      default:
        return most + 1;
    }
  }

  #read(message: Uint8Array): void {
    const { auth, key, cut } = this.#options;
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
    switch (this.#state) {
      case 'version':
        if (String.fromCharCode(...message) !== 'RFB 003.008\n') return this.end();
        this.#state = 'security';
        return this.#say(Uint8Array.of(1, auth ? 2 : 1));
      case 'security':
        if (message[0] !== (auth ? 2 : 1)) return this.end();
        if (!auth) return this.#admit();
        this.#state = 'auth';
        return this.#say(auth.challenge);
      case 'auth': {
        if (auth?.right(message)) return this.#admit();
        const why = text('Authentication failed');
        this.#say(u32(1), u32(why.length), why);
        return this.end();
      }
      case 'init':
        this.shared = message[0] !== 0;
        this.#state = 'on';
        return this.#begin();
      default:
        break;
    }
    switch (message[0]) {
      case 0: {
        if (message[4] !== 32 || message[6] !== 0) return this.end(); // 32 bits a pixel, the lowest byte first
        this.#shifts = [...message.slice(14, 17)];
        this.#shown = null;
        return;
      }
      case 3:
        this.#wanted = message[1] === 0 || !this.#shown ? 'all' : 'changes';
        return this.#look();
      case 4:
        return key(view.getUint32(4), message[1] !== 0);
      case 6:
        return cut?.(String.fromCharCode(...message.slice(8)));
      default: // which encodings it takes, and where its pointer is: of no use here
    }
  }

  #admit(): void {
    this.#state = 'init';
    this.#say(u32(0));
  }

  #begin(): void {
    const { name, picture } = this.#options;
    const { width, height } = picture();
    const said = text(name);
    this.#say(
      u16(width),
      u16(height),
      Uint8Array.of(32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0),
      u32(said.length),
      said,
    );
  }

  /** Answers what was asked for; where nothing has changed, looks again later. */
  #look(): void {
    this.#undo();
    if (!this.#wanted || this.#state !== 'on') return;
    const { width, height, pixels } = this.#options.picture();
    const before = this.#wanted === 'changes' ? this.#shown : null;
    const differs = (row: number) => {
      for (let at = row * width; at < (row + 1) * width; at += 1) if (before?.[at] !== pixels[at]) return true;
      return false;
    };
    let top = 0;
    let bottom = height;
    while (top < bottom && !differs(top)) top += 1;
    while (bottom > top && !differs(bottom - 1)) bottom -= 1;
    if (top === bottom) {
      this.#undo = this.#options.after(lookMs, () => this.#look());
      return;
    }
    this.#wanted = null;
    this.#shown = pixels;
    this.#say(
      Uint8Array.of(0, 0, 0, 1),
      ...[u16(0), u16(top), u16(width), u16(bottom - top), u32(0)],
      this.#raw(pixels.subarray(top * width, bottom * width)),
    );
  }

  #raw(pixels: Uint32Array): Uint8Array {
    const bytes = new Uint8Array(pixels.length * 4);
    const view = new DataView(bytes.buffer);
    const [red = 0, green = 0, blue = 0] = this.#shifts;
    for (const [at, pixel] of pixels.entries()) {
      const value = ((pixel >> 16) << red) | (((pixel >> 8) & 255) << green) | ((pixel & 255) << blue);
      view.setUint32(at * 4, value >>> 0, true);
    }
    return bytes;
  }

  #say(...parts: Uint8Array[]): void {
    this.#options.say(parts.reduce(joined));
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

const text = (words: string) => Uint8Array.from(words, (sign) => sign.charCodeAt(0));
const u16 = (value: number) => Uint8Array.of(value >> 8, value & 255);
const u32 = (value: number) => Uint8Array.of(value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255);
