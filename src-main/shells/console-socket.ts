// A console over a WebSocket of its own: binary frames are its bytes, text frames are JSON notes.
import type { WebSocket } from 'ws';
import type { ConsoleNote, LinkEvents } from '../../contract/events.ts';
import { Failure, toErr, type Err } from '../../contract/failure.ts';
import { Session } from '../api/api.ts';
import type { Door } from '../api/door.ts';
import { keepAlive } from './keep-alive.ts';

/** What is opened: a serial console, or a graphical one. */
export type ConsoleCall = 'consoles.open' | 'consoles.graphics';

export interface ConsoleRequest {
  hostId: string;
  uuid: string;
  target?: string;
  takeover?: boolean;
}

/** The most that one write may hold. */
const writeBytes = 64 * 1024;

/** What the query of the address asks for. @throws Failure `bad-request` */
export function consoleRequest(
  call: ConsoleCall,
  hostId: string,
  uuid: string,
  query: URLSearchParams,
): ConsoleRequest {
  const request: ConsoleRequest = { hostId, uuid };
  for (const [name, value] of query) {
    if (name === 'target') request.target = value;
    else if (name === 'takeover' && call === 'consoles.open') request.takeover = value === '1' || value === 'true';
    else if (name !== 'token') throw new Failure('bad-request', `A console’s address has no “${name}”.`);
  }
  return request;
}

/** Opens the console and serves it until either end closes. A console that cannot be opened says so and closes. */
export function serveConsole(
  socket: WebSocket,
  door: Door,
  call: ConsoleCall,
  wanted: () => ConsoleRequest,
  ms?: number,
): void {
  const session = new Session((event, payload) => {
    if (event === 'console.data') show((payload as LinkEvents['console.data']).bytes);
    else if (event === 'console.note') note((payload as LinkEvents['console.note']).note);
  });
  const opened = open();
  keepAlive(socket, undefined, ms);
  socket.on('error', () => socket.terminate());
  socket.on('close', () => session.end());
  let typing: Promise<unknown> = opened;
  socket.on('message', (data, binary) => {
    if (!binary)
      return end(toErr(new Failure('bad-request', 'A console takes its bytes as binary frames, not as text.')));
    // No more is taken in than is written: whoever pastes a file waits.
    socket.pause();
    typing = typing.then(() => type(data as Buffer)).finally(() => socket.resume());
  });

  async function open(): Promise<string | null> {
    try {
      const answer = await door.call(call, wanted(), session);
      if (!answer.err) return (answer.data as { consoleId: string }).consoleId;
      end(answer.err);
    } catch (error) {
      end(toErr(error));
    }
    return null;
  }

  /** Acknowledged when the socket has taken them: a reader that is slow slows its console, and fills no memory. */
  function show(bytes: Uint8Array): void {
    if (socket.readyState !== socket.OPEN) return;
    socket.send(bytes, { binary: true }, (error) => {
      if (error) return;
      void opened.then((consoleId) => {
        if (consoleId) void door.call('consoles.ack', { consoleId, bytes: bytes.length }, session);
      });
    });
  }

  async function type(bytes: Buffer): Promise<void> {
    const consoleId = await opened;
    for (let at = 0; consoleId && at < bytes.length; at += writeBytes) {
      const { err } = await door.call(
        'consoles.write',
        { consoleId, bytes: bytes.subarray(at, at + writeBytes) },
        session,
      );
      if (err) return end(err);
    }
  }

  function note(said: ConsoleNote): void {
    if (socket.readyState !== socket.OPEN) return;
    socket.send(JSON.stringify(said));
    if (said.type === 'closed') socket.close(1000);
  }

  function end(err: Err): void {
    note({ type: 'closed', err });
  }
}
