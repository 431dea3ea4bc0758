// GET /events: every change as a server-sent event, from a snapshot or from where the reader left off.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NumberedDelta, Snapshot } from '../../contract/events.ts';
import { Session } from '../api/api.ts';
import type { Door } from '../api/door.ts';
import { reply } from './reply.ts';

export interface SseOptions {
  /** Between two comments that keep proxies from hanging up. */
  beatMs?: number;
  /** How much may wait for a reader, besides its snapshot, before it is cut off. It resumes by its last id. */
  backlogBytes?: number;
}

/** Streams until the reader leaves or is too slow. The answer ends the stream from our side. */
export async function streamEvents(
  door: Door,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
  { beatMs = 15_000, backlogBytes = 8 * 1024 * 1024 }: SseOptions = {},
): Promise<void> {
  const { feed } = door;
  const session = new Session();
  response.on('close', () => session.end());

  let allowed = backlogBytes;
  const write = (text: string) => {
    if (response.writableLength > allowed) response.destroy();
    else response.write(text);
  };
  const tell = ({ event, seq, data }: { event: string; seq: number; data: unknown }) =>
    write(`id: ${feed.epoch}-${seq}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  const begin = () => {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-accel-buffering': 'no', // nginx would hold events back
    });
    response.flushHeaders();
    const timer = setInterval(() => write(': still here\n\n'), beatMs);
    session.onEnd(() => clearInterval(timer));
  };

  // What happens while the snapshot is taken waits for it.
  let waiting: NumberedDelta[] | null = [];
  session.onEnd(feed.subscribe((deltas) => (waiting ? void waiting.push(...deltas) : deltas.forEach(tell))));

  const missed = since(door, request.headers['last-event-id'] ?? query.get('lastEventId'));
  if (missed) {
    waiting = null;
    begin();
    missed.forEach(tell);
    return;
  }
  const answer = await door.call('fleet.snapshot', {}, session);
  if (answer.err) {
    session.end();
    return reply(response, answer);
  }
  const snapshot = answer.data as Snapshot;
  begin();
  tell({ event: 'snapshot', seq: snapshot.seq, data: snapshot });
  allowed += response.writableLength;
  const later = waiting.filter(({ seq }) => seq > snapshot.seq);
  waiting = null;
  later.forEach(tell);
}

/** What came after the event with this id, or null where only a snapshot helps. */
function since({ feed }: Door, id: string | string[] | null): NumberedDelta[] | null {
  const [, epoch, seq] = /^([0-9a-f]+)-(\d{1,15})$/.exec(String(id ?? '')) ?? [];
  return epoch === feed.epoch ? feed.since(Number(seq)) : null;
}
