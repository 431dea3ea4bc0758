import { get, type IncomingMessage } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { streamEvents } from '../../src-main/shells/sse.ts';
import { served, token, type Served } from './served.ts';

interface Event {
  id: string;
  event: string;
  data: unknown;
}

/** Reads events until there are so many. */
class Reader {
  readonly events: Event[] = [];
  ended = false;
  comments = 0;
  readonly response: IncomingMessage;
  #text = '';

  constructor(response: IncomingMessage) {
    this.response = response;
    onTestFinished(() => void response.destroy());
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => this.#take(chunk));
    response.on('close', () => (this.ended = true));
    response.on('error', () => {});
  }

  async until(count: number): Promise<Event[]> {
    await expect.poll(() => this.events.length, { interval: 2 }).toBeGreaterThanOrEqual(count);
    return this.events;
  }

  #take(chunk: string): void {
    this.#text += chunk;
    const blocks = this.#text.split('\n\n');
    this.#text = blocks.pop() ?? '';
    for (const block of blocks) {
      if (block.startsWith(':')) this.comments += 1;
      else {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
        this.events.push({ id: field('id'), event: field('event'), data: JSON.parse(field('data')) });
      }
    }
  }
}

function listen({ port }: Served, headers: Record<string, string> = {}, path = '/api/v1/events'): Promise<Reader> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path,
      agent: false,
      headers: { authorization: `Bearer ${token}`, ...headers },
    };
    get(options, (response) => resolve(new Reader(response))).on('error', reject);
  });
}

const messages = (events: Event[]) => events.map(({ data }) => (data as { message: string }).message);

it('begins with a snapshot, and goes on with every change after it', async () => {
  const it_ = await served();
  it_.drover.notice('before');
  const reader = await listen(it_);
  expect(reader.response.headers['content-type']).toMatch(/^text\/event-stream/);
  await reader.until(1);
  it_.drover.notice('one');
  it_.drover.notice('two\n\nlines');
  const events = await reader.until(3);
  const { epoch } = it_.drover.feed;
  expect(events.map(({ id, event }) => [id, event])).toEqual([
    [`${epoch}-1`, 'snapshot'],
    [`${epoch}-2`, 'notice'],
    [`${epoch}-3`, 'notice'],
  ]);
  expect(events[0]?.data).toEqual(it_.drover.snapshot() && { ...it_.drover.snapshot(), seq: 1 });
  expect(messages(events.slice(1))).toEqual(['one', 'two\n\nlines']);
});

it('misses and repeats nothing of what happens while the snapshot is taken', async () => {
  const it_ = await served();
  it_.drover.carry['fleet.snapshot'] = async () => {
    it_.drover.notice('in it');
    const snapshot = it_.drover.snapshot();
    it_.drover.notice('after it');
    it_.drover.feed.flush();
    return snapshot;
  };
  const events = await (await listen(it_)).until(2);
  expect(events.map(({ event }) => event)).toEqual(['snapshot', 'notice']);
  expect(messages(events.slice(1))).toEqual(['after it']);
});

it.each(['header', 'query'])('resumes after the last event that the reader names by %s', async (by) => {
  const it_ = await served();
  for (const message of ['1', '2', '3']) it_.drover.notice(message);
  const id = `${it_.drover.feed.epoch}-1`;
  const reader = await (by === 'header'
    ? listen(it_, { 'last-event-id': id })
    : listen(it_, {}, `/api/v1/events?lastEventId=${id}`));
  await reader.until(2);
  it_.drover.notice('4');
  expect(messages(await reader.until(3))).toEqual(['2', '3', '4']);
});

it('answers at once even where nothing was missed', async () => {
  const it_ = await served();
  const reader = await listen(it_, { 'last-event-id': `${it_.drover.feed.epoch}-0` });
  expect(reader.response.statusCode).toBe(200);
});

it.each(['of-another-epoch-1', 'nonsense', 'EPOCH-999', 'EPOCH--1', ''])(
  'gives a new snapshot for the id “%s”',
  async (id) => {
    const it_ = await served();
    const reader = await listen(it_, { 'last-event-id': id.replace('EPOCH', it_.drover.feed.epoch) });
    expect((await reader.until(1))[0]?.event).toBe('snapshot');
  },
);

it('lets go of the feed when the reader leaves', async () => {
  const it_ = await served();
  let watched = false;
  it_.drover.feed.onWatched((now) => (watched = now));
  const reader = await listen(it_);
  await reader.until(1);
  expect(watched).toBe(true);
  reader.response.destroy();
  await expect.poll(() => watched).toBe(false);
});

it('ends when Drover does', async () => {
  const it_ = await served();
  const reader = await listen(it_);
  await reader.until(1);
  await it_.serving.close();
  await expect.poll(() => reader.ended).toBe(true);
});

it('tells by comments that it is still there, and cuts off who does not read', async () => {
  const { StandIn } = await import('./stand-in.ts');
  const { createServer } = await import('node:http');
  const drover = new StandIn();
  const server = createServer((request, response) => {
    void streamEvents(drover.door, new URLSearchParams(), request, response, { beatMs: 5, backlogBytes: 100_000 });
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const reader = await listen({ port } as Served);
  await expect.poll(() => reader.comments).toBeGreaterThan(2);
  let watched = true;
  drover.feed.onWatched((now) => (watched = now));
  reader.response.pause();
  const pour = setInterval(() => {
    drover.notice('x'.repeat(50_000));
  }, 0);
  onTestFinished(() => clearInterval(pour));
  await expect.poll(() => watched, { timeout: 10_000 }).toBe(false);
  clearInterval(pour);
  reader.response.resume();
  await expect.poll(() => reader.ended).toBe(true);
});
