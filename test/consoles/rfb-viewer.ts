// A VNC viewer for tests: shakes hands, asks for pictures in raw encoding, types. Begins anew when the VM has moved.
import { encrypted } from '../../src-sim/screens.ts';

export class RfbViewer {
  /** `on` once the server has said how large its picture is. */
  state: 'version' | 'security' | 'auth' | 'result' | 'init' | 'on' | 'refused' = 'version';
  name = '';
  width = 0;
  height = 0;
  /** Rectangles that were received whole. */
  rectangles = 0;
  /** Pixels of the last one that are not its most frequent colour. */
  drawn = 0;
  /** How often a server began to speak to it. */
  begun = 0;
  /** What is asked with; null: nothing is known. */
  password: string | null = null;
  readonly #send: (bytes: Buffer) => void;
  #held = Buffer.alloc(0);

  constructor(send: (bytes: Buffer) => void) {
    this.#send = send;
  }

  /** Another server speaks from here on. */
  anew(): void {
    this.state = 'version';
    this.#held = Buffer.alloc(0);
    this.rectangles = 0;
  }

  take(bytes: Uint8Array): void {
    this.#held = Buffer.concat([this.#held, bytes]);
    while (this.#step());
  }

  ask(changes = true): void {
    const message = Buffer.from([3, changes ? 1 : 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    message.writeUInt16BE(this.width, 6);
    message.writeUInt16BE(this.height, 8);
    this.#send(message);
  }

  type(text: string): void {
    for (const sign of text) {
      for (const down of [1, 0]) this.#send(Buffer.from([4, down, 0, 0, 0, 0, 0, sign.charCodeAt(0)]));
    }
  }

  /** @returns whether there may be more */
  #step(): boolean {
    const held = this.#held;
    switch (this.state) {
      case 'version':
        if (held.length < 12) return false;
        if (held.toString('latin1', 0, 4) !== 'RFB ') throw new Error(`no VNC server says ${held.toString('latin1')}`);
        this.begun += 1;
        this.#next(12, 'security');
        this.#send(Buffer.from('RFB 003.008\n'));
        return true;
      case 'security': {
        const count = held[0];
        if (count === undefined || held.length < 1 + count) return false;
        const none = held.subarray(1, 1 + count).includes(1);
        this.#next(1 + count, none ? 'result' : 'auth');
        this.#send(Buffer.from([none ? 1 : 2]));
        return true;
      }
      case 'auth':
        if (held.length < 16) return false;
        this.#send(encrypted(held.subarray(0, 16), this.password ?? ''));
        this.#next(16, 'result');
        return true;
      case 'result':
        if (held.length < 4) return false;
        if (held.readUInt32BE(0) !== 0) {
          this.#next(4, 'refused');
          return false;
        }
        this.#next(4, 'init');
        this.#send(Buffer.from([1])); // shared
        return true;
      case 'init': {
        if (held.length < 24 || held.length < 24 + held.readUInt32BE(20)) return false;
        this.width = held.readUInt16BE(0);
        this.height = held.readUInt16BE(2);
        const length = held.readUInt32BE(20);
        this.name = held.toString('latin1', 24, 24 + length);
        this.#next(24 + length, 'on');
        // 32 bits a pixel, and raw rectangles only.
        this.#send(Buffer.from([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]));
        this.#send(Buffer.from([2, 0, 0, 1, 0, 0, 0, 0]));
        this.ask(false);
        return true;
      }
      case 'on':
        return this.#message();
      case 'refused':
        return false;
      default:
        return this.state satisfies never;
    }
  }

  #message(): boolean {
    const held = this.#held;
    switch (held[0]) {
      case undefined:
        return false;
      case 0: {
        if (held.length < 4) return false;
        let at = 4;
        for (let left = held.readUInt16BE(2); left > 0; left -= 1) {
          if (held.length < at + 12) return false;
          at += 12 + held.readUInt16BE(at + 4) * held.readUInt16BE(at + 6) * 4;
        }
        if (held.length < at) return false;
        this.rectangles += held.readUInt16BE(2);
        this.#look(held.subarray(16, at));
        this.#next(at, 'on');
        return true;
      }
      case 2: // a bell
        this.#next(1, 'on');
        return true;
      case 3: {
        if (held.length < 8 || held.length < 8 + held.readUInt32BE(4)) return false;
        this.#next(8 + held.readUInt32BE(4), 'on');
        return true;
      }
      default:
        throw new Error(`a VNC server said ${held[0]}`);
    }
  }

  #look(pixels: Buffer): void {
    const counts = new Map<number, number>();
    for (let at = 0; at + 4 <= pixels.length; at += 4) {
      const pixel = pixels.readUInt32LE(at);
      counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
    }
    this.drawn = pixels.length / 4 - Math.max(0, ...counts.values());
  }

  #next(bytes: number, state: RfbViewer['state']): void {
    this.#held = this.#held.subarray(bytes);
    this.state = state;
  }
}
