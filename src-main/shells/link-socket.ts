// The main side of a window's link over a WebSocket: its calls come in, deltas and console bytes go out.
import { createBirpc } from 'birpc';
import type { WebSocket } from 'ws';
import { Failure, toErr } from '../../contract/failure.ts';
import { beatMs, decodeFrame, encodeFrame, type MainSide, type WindowSide } from '../../contract/wire.ts';
import { Session } from '../api/api.ts';
import type { Door } from '../api/door.ts';
import { keepAlive } from './keep-alive.ts';
import { Pace } from './pace.ts';

export interface LinkSocketOptions {
  beatMs?: number;
  /** How much may wait for a window before it is cut off. It comes back and takes a snapshot. */
  backlogBytes?: number;
  /** Calls of one window under way at once. */
  maxCalls?: number;
  /** Messages of one window in a second; it waits with more. */
  perSecond?: number;
  later?: (ms: number, run: () => void) => void;
}

/** Serves one window until its socket closes. */
export function serveWindow(socket: WebSocket, door: Door, options: LinkSocketOptions = {}): void {
  const { backlogBytes = 32 * 1024 * 1024, maxCalls = 1_000, perSecond = 2_000 } = options;
  const pace = new Pace({ perSecond, ...(options.later && { later: options.later }) });
  let underWay = 0;
  const functions: MainSide = {
    async call(name, args) {
      if (underWay >= maxCalls) {
        return {
          err: toErr(new Failure('conflict', `${maxCalls} calls of this window are under way already.`)),
          data: null,
        };
      }
      underWay += 1;
      try {
        return await door.call(typeof name === 'string' ? name : '', args, session);
      } finally {
        underWay -= 1;
      }
    },
  };
  const rpc = createBirpc<WindowSide, MainSide, false>(functions, {
    proxify: false,
    serialize: encodeFrame,
    deserialize: decodeFrame,
    resolver: (name, resolved) => (Object.hasOwn(functions, name) ? resolved : undefined),
    post: (frame: Uint8Array) => {
      if (socket.readyState !== socket.OPEN) return;
      if (socket.bufferedAmount > backlogBytes) socket.terminate();
      else socket.send(frame);
    },
    on: (take) => {
      socket.on('message', (data) => {
        take(data);
        // What had come with it is delivered all the same.
        if (socket.isPaused) return;
        void pace.turn();
        if (!pace.spent) return;
        socket.pause(); // nothing is lost: who sends has to wait
        void pace.turn().then(() => socket.resume());
      });
    },
    // Bytes that are no frame: who sends them is no window.
    onGeneralError: () => {
      socket.close(1002, 'not a frame of this protocol');
      return true;
    },
  });
  const tell = (sent: Promise<unknown>) => void sent.catch(() => socket.terminate());
  const session = new Session((event, payload) => tell(rpc.$callEvent('event', event, payload)));

  const { feed } = door;
  session.onEnd(feed.subscribe((deltas) => session.send('deltas', { epoch: feed.epoch, deltas })));
  keepAlive(socket, () => tell(rpc.$callEvent('beat')), options.beatMs ?? beatMs);
  socket.on('error', () => socket.terminate());
  socket.on('close', () => {
    session.end();
    rpc.$close();
  });
}
