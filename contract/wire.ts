// How the two sides of a link meet: the socket's protocol names and frames, and the bridge of the desktop window.
import { Decoder, Encoder } from '@msgpack/msgpack';
import type { LinkEvents } from './events.ts';
import type { Answer } from './link.ts';

/** Where `serve` takes a window's WebSocket. */
export const linkPath = '/link';
export const linkProtocol = 'drover.link.v1';
const tokenPrefix = 'drover.token.';

/** The token as a second subprotocol: the one header that a page may set on a WebSocket. */
export function tokenProtocol(token: string): string {
  // RFC 9110's token characters hold % but no parentheses, which encodeURIComponent leaves alone.
  return tokenPrefix + encodeURIComponent(token).replaceAll('(', '%28').replaceAll(')', '%29');
}

/** The token among the subprotocols that a client offers; null for none. */
export function tokenOf(protocols: Iterable<string>): string | null {
  for (const protocol of protocols) {
    if (!protocol.startsWith(tokenPrefix)) continue;
    try {
      return decodeURIComponent(protocol.slice(tokenPrefix.length));
    } catch {
      return null;
    }
  }
  return null;
}

/** What the main side carries out for a window. */
export interface MainSide {
  call(name: string, args: unknown): Promise<Answer<unknown>>;
}

/** What a window takes without being asked. `beat` comes when nothing else did, so that silence means loss. */
export interface WindowSide {
  event<E extends keyof LinkEvents>(name: E, payload: LinkEvents[E]): void;
  beat(): void;
}

/** How often the main side tells that it is there; three missed ones mean it is not. */
export const beatMs = 15_000;

const freshEncoder = () => new Encoder({ ignoreUndefined: true });
let encoder = freshEncoder();
const decoder = new Decoder();
/** An encoder keeps room for the largest frame it ever made; for a large fleet's snapshot that is many MB. */
const mostKeptBytes = 256 * 1024;

/** One frame: a message of the socket. `undefined` in an object is left out, bytes stay bytes. */
export function encodeFrame(message: unknown): Uint8Array<ArrayBuffer> {
  const frame = encoder.encode(message);
  if (frame.byteLength > mostKeptBytes) encoder = freshEncoder();
  return frame;
}

/** @throws where the bytes are no frame */
export function decodeFrame(bytes: ArrayBuffer | Uint8Array): object {
  const message = decoder.decode(bytes);
  if (typeof message !== 'object' || message === null || Array.isArray(message)) throw new TypeError('no frame');
  return message;
}

/** What the desktop's preload puts into the window; it never grows. */
export interface Bridge {
  call(name: string, args: unknown): Promise<Answer<unknown>>;
  on(event: string, listener: (payload: unknown) => void): () => void;
}
