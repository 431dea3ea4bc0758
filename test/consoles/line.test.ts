// One console, shared and going with its VM: in which order its viewers hear what, with streams in the test's hand.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Failure } from '../../contract/failure.ts';
import { Line } from '../../src-main/consoles/line.ts';
import type { ConsoleSource, SourceOptions } from '../../src-main/consoles/source.ts';
import { slowBytes } from '../../src-main/consoles/viewer.ts';
import type { Host } from '../../src-main/fleet/host.ts';

const hosts = { a: { id: 'a' } as Host, b: { id: 'b' } as Host, c: { id: 'c' } as Host };

/** A console's stream on one host. */
class Stream implements ConsoleSource {
  readonly host: Host;
  closed = false;
  paused = false;
  typed = '';
  #on: Parameters<ConsoleSource['listen']>[0] | null = null;

  constructor(host: Host) {
    this.host = host;
  }
  listen(on: Parameters<ConsoleSource['listen']>[0]): void {
    this.#on = on;
  }
  write(bytes: Uint8Array): void {
    this.typed += Buffer.from(bytes).toString();
  }
  pause(paused: boolean): void {
    this.paused = paused;
  }
  close(): void {
    this.closed = true;
  }
  says(text: string): void {
    if (!this.closed) this.#on?.data(Buffer.from(text));
  }
  ends(why: Failure | null = null): void {
    if (this.closed) return;
    this.closed = true;
    this.#on?.end(why);
  }
}

let streams: Stream[];
let opening: (options: SourceOptions) => Promise<ConsoleSource>;
let elsewhere: Host | null;
let moves: string[];
let over: number;
let line: Line;

const open = (host: Host) => {
  const stream = new Stream(host);
  streams.push(stream);
  return stream;
};
const on = (id: string) => {
  const stream = streams.filter((one) => one.host.id === id).at(-1);
  if (!stream) throw new Error(`no console was opened on ${id}`);
  return stream;
};

/** What a viewer hears: bytes as text, one after the other, and notes. */
function watch() {
  const heard: string[] = [];
  let text = false;
  const viewer = line.join({
    data: (bytes) => {
      if (text) heard[heard.length - 1] += Buffer.from(bytes).toString();
      else heard.push(Buffer.from(bytes).toString());
      text = true;
    },
    note: (note) => {
      text = false;
      const more =
        note.type === 'moved' ? ` ${note.from}→${note.to}` : note.type === 'closed' ? ` ${note.err?.code ?? ''}` : '';
      heard.push(`[${note.type}${more}]`);
    },
  });
  return { heard, viewer };
}
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(async () => {
  vi.useFakeTimers();
  streams = [];
  elsewhere = null;
  moves = [];
  over = 0;
  opening = async ({ host }) => open(host);
  line = new Line({
    host: hosts.a,
    uuid: 'u',
    name: 'web01',
    target: 'serial0',
    moved: (moved, from) => moves.push(`${from}→${moved.host.id}`),
    elsewhere: () => elsewhere,
    over: () => (over += 1),
    openSource: (options) => opening(options),
  });
  await line.open(false);
});
afterEach(() => {
  expect(vi.getTimerCount()).toBeLessThanOrEqual(2);
  vi.useRealTimers();
});

describe('its viewers', () => {
  it('share one stream, each from when it came', async () => {
    const one = watch();
    on('a').says('tick 1 ');
    await pass(10);
    const two = watch();
    on('a').says('tick 2');
    await pass(10);
    expect(one.heard).toEqual(['[open]', 'tick 1 tick 2']);
    expect(two.heard).toEqual(['[open]', 'tick 2']);
    expect(streams).toHaveLength(1);
  });

  it('end it when the last one leaves', () => {
    const [one, two] = [watch(), watch()];
    line.leave(one.viewer);
    expect([on('a').closed, line.lives, over]).toEqual([false, true, 0]);
    line.leave(two.viewer);
    line.leave(two.viewer);
    expect([on('a').closed, line.lives, over]).toEqual([true, false, 1]);
  });

  it('type into it', () => {
    watch();
    line.write(Buffer.from('ls\r'));
    expect(on('a').typed).toBe('ls\r');
  });

  it('are told of its end', async () => {
    const { heard } = watch();
    on('a').says('bye');
    on('a').ends();
    await pass(1_000);
    expect(heard).toEqual(['[open]', 'bye', '[closed ]']);
    expect(over).toBe(1);
  });

  it('are told why it was lost', async () => {
    const { heard } = watch();
    on('a').ends(new Failure('unreachable', 'gone'));
    await pass(1_000);
    expect(heard).toEqual(['[open]', '[closed unreachable]']);
  });
});

describe('a viewer that is slow', () => {
  const flood = 'x'.repeat(slowBytes + 1);

  it('holds the stream back, until it has shown enough', () => {
    const { viewer } = watch();
    on('a').says(flood);
    expect(on('a').paused).toBe(true);
    line.shown(viewer, flood.length);
    expect(on('a').paused).toBe(false);
  });

  it('is gone on without after a while, and then told what it missed', async () => {
    const slow = watch();
    const quick = watch();
    on('a').says(flood);
    line.shown(quick.viewer, flood.length);
    expect(on('a').paused).toBe(true);
    await pass(5_000);
    expect(on('a').paused).toBe(false);
    on('a').says('later');
    await pass(10);
    expect(quick.heard.join('')).toMatch(/later$/);
    expect(slow.heard.join('')).toBe(`[open]${flood}`);
    line.shown(slow.viewer, flood.length);
    expect(slow.heard.at(-1)).toBe('[gap]');
  });

  it('holds nothing back any more once it left', () => {
    const slow = watch();
    watch();
    on('a').says('y');
    on('a').says(flood);
    line.leave(slow.viewer);
    expect(on('a').paused).toBe(true);
  });
});

describe('a VM that moves', () => {
  it('is listened to there beforehand: the old host’s last bytes come first, none is missing', async () => {
    const { heard } = watch();
    on('a').says('1 ');
    await line.prepare(hosts.b);
    on('a').says('2 ');
    on('b').says('4 ');
    on('a').says('3 ');
    on('b').says('5 ');
    await pass(100);
    on('b').says('6');
    await pass(10);
    expect(heard).toEqual(['[open]', '1 2 3 ', '[moved a→b]', '4 5 6']);
    expect([on('a').closed, line.host.id, moves]).toEqual([true, 'b', ['a→b']]);
  });

  it('is switched to when it is said to run there, even if it is silent', async () => {
    const { heard } = watch();
    await line.prepare(hosts.b);
    line.arrived(hosts.b);
    await pass(100);
    expect(heard).toEqual(['[open]', '[moved a→b]']);
    line.write(Buffer.from('ls'));
    expect([on('a').typed, on('b').typed]).toEqual(['', 'ls']);
  });

  it('is switched to at once when the old one ends first', async () => {
    const { heard } = watch();
    await line.prepare(hosts.b);
    on('b').says('2');
    on('a').says('1');
    on('a').ends();
    await pass(10);
    expect(heard).toEqual(['[open]', '1', '[moved a→b]', '2']);
    await pass(1_000);
    expect(moves).toEqual(['a→b']);
  });

  it('goes there and back', async () => {
    const { heard } = watch();
    for (const to of ['b', 'a'] as const) {
      await line.prepare(hosts[to]);
      on(to).says(`${to} `);
      await pass(100);
    }
    expect(heard).toEqual(['[open]', '[moved a→b]', 'b ', '[moved b→a]', 'a ']);
    expect(streams.map(({ closed }) => closed)).toEqual([true, true, false]);
  });

  it('does not go there after all', async () => {
    const { heard } = watch();
    await line.prepare(hosts.b);
    line.stayed(hosts.b);
    expect(on('b').closed).toBe(true);
    on('a').says('still here');
    await pass(100);
    expect(heard).toEqual(['[open]', 'still here']);
  });

  it('goes elsewhere after all: what was opened in vain is closed', async () => {
    watch();
    await line.prepare(hosts.b);
    await line.prepare(hosts.c);
    expect([on('b').closed, on('c').closed]).toEqual([true, false]);
    on('b').says('never');
    on('c').says('here');
    await pass(100);
    expect(line.host.id).toBe('c');
  });

  it('is opened there once, however often that is announced', async () => {
    watch();
    await Promise.all([line.prepare(hosts.b), line.prepare(hosts.b), line.prepare(hosts.a)]);
    await line.prepare(hosts.b);
    expect(streams.map(({ host }) => host.id)).toEqual(['a', 'b']);
  });

  it('whose stream there ends before it came stays with the old one', async () => {
    const { heard } = watch();
    await line.prepare(hosts.b);
    on('b').ends(new Failure('unreachable', 'gone'));
    on('a').says('still here');
    await pass(100);
    expect(heard).toEqual(['[open]', 'still here']);
  });

  it('without a warning is looked for, and what may be missing is said', async () => {
    const { heard } = watch();
    on('a').ends();
    await pass(200);
    elsewhere = hosts.b;
    await pass(200);
    on('b').says('here');
    await pass(10);
    expect(heard).toEqual(['[open]', '[moved a→b]', '[gap]', 'here']);
  });

  it('and whose stream there cannot be opened yet is tried again, for a while', async () => {
    const { heard } = watch();
    elsewhere = hosts.b;
    let tries = 0;
    opening = async ({ host }) => {
      tries += 1;
      if (tries < 4) throw new Failure('libvirt', 'not yet');
      return open(host);
    };
    on('a').ends();
    await pass(500);
    expect(heard.slice(1)).toEqual(['[moved a→b]', '[gap]']);
    elsewhere = null;
    on('b').ends(new Failure('unreachable', 'gone'));
    await pass(1_000);
    expect(heard.at(-1)).toBe('[closed unreachable]');
  });

  it('while its stream there is still being opened, as the old one ends, is waited for', async () => {
    const { heard } = watch();
    let opened = () => {};
    opening = ({ host }) => new Promise((resolve) => (opened = () => resolve(open(host))));
    void line.prepare(hosts.b);
    elsewhere = hosts.b;
    on('a').ends();
    await pass(300);
    opened();
    await pass(200);
    on('b').says('here');
    await pass(10);
    expect(heard).toEqual(['[open]', '[moved a→b]', '[gap]', 'here']);
    expect(streams).toHaveLength(2);
  });

  it('runs there before its stream there is open: what may be missing is said', async () => {
    const { heard } = watch();
    let opened = () => {};
    opening = ({ host }) => new Promise((resolve) => (opened = () => resolve(open(host))));
    const prepared = line.prepare(hosts.b);
    line.arrived(hosts.b);
    opened();
    await prepared;
    on('b').says('here');
    await pass(100);
    expect(heard).toEqual(['[open]', '[moved a→b]', '[gap]', 'here']);
    opening = async ({ host }) => open(host);
    await line.prepare(hosts.a);
    on('a').says('back');
    await pass(100);
    expect(heard.slice(4)).toEqual(['[moved b→a]', 'back']);
  });

  it('takes a slow viewer along: the new stream is held back, too', async () => {
    const { viewer } = watch();
    on('a').says('x'.repeat(slowBytes + 1));
    await line.prepare(hosts.b);
    line.arrived(hosts.b);
    await pass(100);
    expect(on('b').paused).toBe(true);
    line.shown(viewer, slowBytes + 1);
    expect(on('b').paused).toBe(false);
  });
});

describe('its end', () => {
  it('closes what was opened beforehand', async () => {
    const { viewer } = watch();
    await line.prepare(hosts.b);
    line.arrived(hosts.b);
    line.leave(viewer);
    expect([on('a').closed, on('b').closed]).toEqual([true, true]);
    await pass(1_000);
    expect(moves).toEqual([]);
  });

  it('closes what comes too late', async () => {
    const { viewer } = watch();
    let opened = () => {};
    opening = ({ host }) => new Promise((resolve) => (opened = () => resolve(open(host))));
    const prepared = line.prepare(hosts.b);
    line.leave(viewer);
    opened();
    await prepared;
    expect(on('b').closed).toBe(true);
  });

  it('is said once, and nothing comes after it', async () => {
    const { heard } = watch();
    line.close(new Failure('unreachable', 'Drover is ending.'));
    line.close(null);
    on('a').says('late');
    await pass(100);
    expect(heard).toEqual(['[open]', '[closed unreachable]']);
    expect(over).toBe(1);
  });
});
