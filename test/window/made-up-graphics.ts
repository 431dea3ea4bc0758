// The VNC server of a made-up VM: the simulator's, with a screen that says what was typed.
import { paint } from '../../src-sim/picture.ts';
import { RfbServer } from '../../src-sim/rfb.ts';

export class MadeUpGraphics {
  /** What was typed into it, and pressed besides: X's numbers of keys that went down. */
  typed = '';
  readonly pressed: number[] = [];
  /** What the viewer put on its clipboard. */
  readonly cuts: string[] = [];
  /** How many servers have spoken: one more after each move. */
  servers = 0;
  /** Null: nobody is asked. Else any answer but one to this is wrong. */
  password = false;
  readonly #name: string;
  readonly #say: (bytes: Uint8Array) => void;
  #server: RfbServer | null = null;

  constructor(name: string, say: (bytes: Uint8Array) => void) {
    this.#name = name;
    this.#say = say;
  }

  /** As a server that has just been connected to. */
  begin(): void {
    this.#server?.end();
    this.servers += 1;
    const number = this.servers;
    let mine: RfbServer | null = null;
    mine = this.#server = new RfbServer({
      name: `<img src=x onerror=window.hacked=1>${this.#name}`,
      // No DES here: the first answer is wrong, the next one right.
      auth: this.password ? { challenge: new Uint8Array(16), right: () => number > 1 } : null,
      picture: () => paint([`${this.#name} login: ${this.typed}_`, '', `server ${number}`]),
      say: (bytes) => {
        if (mine === null || this.#server === mine) this.#say(bytes);
      },
      over: () => {},
      key: (keysym, down) => {
        if (!down) return;
        this.pressed.push(keysym);
        if (keysym >= 0x20 && keysym < 0x7f) this.typed += String.fromCharCode(keysym);
      },
      cut: (text) => this.cuts.push(text),
      after: (ms, run) => {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
    });
  }

  take(bytes: Uint8Array): void {
    this.#server?.take(bytes);
  }

  /** The guest puts text on its viewer's clipboard. */
  cut(text: string): void {
    this.#server?.cut(text);
  }
}
