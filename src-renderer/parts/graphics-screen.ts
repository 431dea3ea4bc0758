// A graphical console's screen on noVNC, which is loaded when the first one opens. It outlives the pane it is in.
import type RFB from '@novnc/novnc';
import type { Channel } from '@novnc/novnc';
import type { GraphicsFailure } from '../words/graphics.ts';
import { keyOf, type GuestKey } from './graphics-keys.ts';
import { RfbGreeting } from './rfb-greeting.ts';

/** How the talk with the VNC server stands. */
export type GraphicsState =
  | { is: 'waiting' }
  | { is: 'shown' }
  /** The server asks for a password (and a user's name, where it says so). */
  | { is: 'asking'; user: boolean }
  | { is: 'failed'; why: GraphicsFailure };

/** What the pane, while there is one, does about what happens on the screen. */
export interface GraphicsHandlers {
  changed(): void;
  /** Ctrl+Shift+E: out of the screen by keyboard. */
  leave(): void;
}

/** What a guest puts on its clipboard is kept up to here; nothing of it leaves the window by itself. */
const mostText = 256 * 1024;
/** Between two letters that are typed for the admin: a PS/2 keyboard holds few. */
const typingMs = 25;

/** Loads noVNC and makes a screen that stands in no pane yet. */
export async function openGraphicsScreen(send: (bytes: Uint8Array) => void): Promise<GraphicsScreen> {
  const { default: Rfb } = await import('@novnc/novnc');
  return new GraphicsScreen(Rfb, send);
}

export class GraphicsScreen {
  state: GraphicsState = { is: 'waiting' };
  /** What Drover said of it last, e.g. that it moved. */
  said = '';
  /** What the guest last put on its clipboard; null: nothing. */
  guestText: string | null = null;
  readonly #Rfb: typeof RFB;
  readonly #send: (bytes: Uint8Array) => void;
  /** Moved from pane to pane. */
  readonly #element = document.createElement('div');
  #handlers: GraphicsHandlers | null = null;
  #rfb: RFB | null = null;
  #channel: Wire | null = null;
  #greeting = new RfbGreeting();
  #fits = true;
  /** For the server of this VM, wherever that is; only here, and only as long as this screen. */
  #password: { username?: string; password: string } | null = null;
  /** Keys that are down, by their place: let go when the focus goes elsewhere. */
  readonly #down = new Map<string, string>();
  /** Acknowledgements that wait while nobody looks: the server is held back. */
  #unseen: (() => void)[] = [];
  #typing = 0;

  constructor(Rfb: typeof RFB, send: (bytes: Uint8Array) => void) {
    this.#Rfb = Rfb;
    this.#send = send;
    const element = this.#element;
    element.style.cssText = 'width:100%;height:100%';
    element.dataset['guest'] = '';
    element.addEventListener('keydown', (event) => this.#key(event), { capture: true });
    element.addEventListener('keyup', ({ code }) => this.#down.delete(code), { capture: true });
    for (const type of ['keydown', 'keyup'] as const) {
      element.addEventListener(type, (event) => event.stopPropagation()); // the window's shortcuts give way here
    }
    element.addEventListener('focusout', () => this.#letGo());
  }

  // --- What the session does ---

  /** A server begins to speak: the first, or another after the VM has moved. */
  begin(): void {
    const focused = this.#element.contains(document.activeElement);
    this.end();
    this.#greeting = new RfbGreeting();
    const channel = (this.#channel = new Wire((bytes) => this.#send(bytes)));
    const rfb = (this.#rfb = new this.#Rfb(this.#element, channel, { shared: true }));
    rfb.scaleViewport = this.#fits;
    rfb.background = 'transparent';
    rfb.showDotCursor = true;
    const now = <T>(act: (event: CustomEvent<T>) => void) => {
      return (event: CustomEvent<T>) => {
        if (this.#rfb === rfb) act(event);
      };
    };
    rfb.addEventListener(
      'connect',
      now(() => {
        this.#is({ is: 'shown' });
        if (focused) rfb.focus();
      }),
    );
    rfb.addEventListener(
      'credentialsrequired',
      now<{ types: string[] }>(({ detail }) => {
        if (this.#password) rfb.sendCredentials(this.#password);
        else this.#is({ is: 'asking', user: detail.types.includes('username') });
      }),
    );
    rfb.addEventListener(
      'securityfailure',
      now<{ reason?: string }>(({ detail }) => {
        const asked = this.#password !== null;
        this.#password = null;
        const said = plain(detail.reason ?? '') || null;
        const { refusal } = this.#greeting;
        this.#fail(asked || refusal === null ? { kind: 'password', said } : { kind: 'refused', said: refusal });
      }),
    );
    rfb.addEventListener(
      'disconnect',
      now(() => {
        const { wants, refusal } = this.#greeting;
        this.#rfb = null; // it takes no more calls
        if (this.state.is === 'failed') return;
        if (wants !== null) this.#fail({ kind: 'security', wants });
        else if (refusal !== null) this.#fail({ kind: 'refused', said: refusal });
        else this.#fail({ kind: 'broken' });
      }),
    );
    rfb.addEventListener(
      'clipboard',
      now<{ text: string }>(({ detail }) => {
        this.guestText = detail.text.slice(0, mostText);
        this.#handlers?.changed();
      }),
    );
    this.#is({ is: 'waiting' });
    channel.open();
  }

  write(bytes: Uint8Array, shown: () => void): void {
    this.#greeting.take(bytes);
    this.#channel?.onmessage?.({ data: bytes });
    if (this.#handlers) shown();
    else this.#unseen.push(shown);
  }

  note(text: string): void {
    this.said = text;
    this.#handlers?.changed();
  }

  /** Nothing more comes. */
  end(): void {
    const rfb = this.#rfb;
    this.#typing += 1;
    this.#rfb = null;
    this.#channel = null;
    this.#down.clear();
    rfb?.disconnect();
    this.#see();
  }

  dispose(): void {
    this.#handlers = null;
    this.#password = null;
    this.end();
    this.#element.remove();
  }

  // --- What the pane does ---

  /** Puts the screen into a pane; the answer takes it out again, unless it stands elsewhere by then. */
  mount(pane: HTMLElement, handlers: GraphicsHandlers): () => void {
    pane.append(this.#element);
    this.#handlers = handlers;
    this.#see();
    return () => {
      if (this.#handlers !== handlers) return;
      this.#letGo();
      this.#handlers = null;
      this.#element.remove();
    };
  }

  focus(): void {
    this.#rfb?.focus();
  }

  /** Whether the picture is made to fit the pane, or stands dot for dot. */
  get fits(): boolean {
    return this.#fits;
  }
  set fits(fits: boolean) {
    this.#fits = fits;
    if (this.#rfb) this.#rfb.scaleViewport = fits;
  }

  answer(answer: { username?: string; password: string } | null): void {
    const rfb = this.#rfb;
    this.#password = answer;
    if (answer) {
      this.#is({ is: 'waiting' });
      rfb?.sendCredentials(answer);
    } else {
      this.end();
      this.#fail({ kind: 'password', said: null });
    }
  }

  press(keys: readonly GuestKey[]): void {
    for (const { keysym, code } of keys) this.#rfb?.sendKey(keysym, code ?? null, true);
    for (const { keysym, code } of [...keys].reverse()) this.#rfb?.sendKey(keysym, code ?? null, false);
  }

  /** Puts text on the guest's clipboard, where the guest has something that takes it. */
  offer(text: string): void {
    this.#rfb?.clipboardPasteFrom(text);
  }

  /** Types text as if by hand, not faster than a keyboard takes it. Resolves when done, or when it ended before. */
  async type(text: string): Promise<void> {
    const turn = (this.#typing += 1);
    for (const sign of text.replaceAll(/\r\n?/g, '\n')) {
      if (turn !== this.#typing) return;
      this.press([keyOf(sign)]);
      await new Promise((resolve) => setTimeout(resolve, typingMs));
    }
  }

  #is(state: GraphicsState): void {
    this.state = state;
    this.#handlers?.changed();
  }

  #fail(why: GraphicsFailure): void {
    this.#is({ is: 'failed', why });
  }

  #see(): void {
    for (const shown of this.#unseen.splice(0)) shown();
  }

  /** All keys are the guest's but the one that leads out. */
  #key(event: KeyboardEvent): void {
    if (event.ctrlKey && event.shiftKey && !event.altKey && !event.metaKey && event.code === 'KeyE') {
      event.preventDefault();
      event.stopImmediatePropagation();
      this.#handlers?.leave();
      return;
    }
    this.#down.set(event.code, event.key);
  }

  /** What is still held would stay pressed in the guest, since its release is not seen here. */
  #letGo(): void {
    const canvas = this.#element.querySelector('canvas');
    for (const [code, key] of [...this.#down]) canvas?.dispatchEvent(new KeyboardEvent('keyup', { code, key }));
    this.#down.clear();
  }
}

/** The bytes' way to noVNC and back, which takes it for a WebSocket. */
class Wire implements Channel {
  binaryType = 'arraybuffer';
  readonly protocol = '';
  readyState = 'connecting';
  onopen: Channel['onopen'] = null;
  onmessage: Channel['onmessage'] = null;
  onclose: Channel['onclose'] = null;
  onerror: Channel['onerror'] = null;
  readonly #send: (bytes: Uint8Array) => void;

  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send;
  }

  open(): void {
    this.readyState = 'open';
    this.onopen?.();
  }

  /** noVNC sends the same buffer again and again. */
  send(bytes: Uint8Array): void {
    if (this.readyState === 'open') this.#send(bytes.slice());
  }

  close(): void {
    if (this.readyState === 'closed') return;
    this.readyState = 'closed';
    queueMicrotask(() => this.onclose?.({ code: 1000, reason: '' }));
  }
}

const plain = (text: string) => text.slice(0, 200).replaceAll(/[\p{Cc}\p{Cf}]/gu, '');
