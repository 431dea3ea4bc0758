// The console store: nothing lost before there is a screen, bytes acknowledged once shown, back when the VM is.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ConsolesStore, type ConsoleSession, type Screen } from '../../src-renderer/stores/consoles.svelte.ts';
import { pasteQuestion } from '../../src-renderer/parts/paste-guard.ts';
import { Failure } from '../../contract/failure.ts';
import { ScriptedLink } from './scripted-link.ts';

const web01 = { hostId: 'h1', uuid: '11111111-1111-4111-8111-111111111111' };
const bytes = (text: string) => new TextEncoder().encode(text);

class Paper implements Screen {
  text = '';
  unshown: (() => void)[] = [];
  disposed = false;
  write(written: Uint8Array, shown: () => void) {
    this.text += new TextDecoder().decode(written);
    this.unshown.push(shown);
  }
  note(text: string) {
    this.text += `<${text}>`;
  }
  dispose() {
    this.disposed = true;
  }
  /** The terminal caught up. */
  show() {
    for (const shown of this.unshown.splice(0)) shown();
  }
}

let link: ScriptedLink;
let running: string[];
let store: ConsolesStore<Paper>;

beforeEach(() => {
  link = new ScriptedLink();
  running = ['h1'];
  store = new ConsolesStore<Paper>(link, { label: (id) => id.replace('h', 'kvm'), running: () => running });
  let opened = 0;
  link.answer('consoles.open', () => ({ consoleId: `c${(opened += 1)}` }));
  link.answer('consoles.ack', () => null);
  link.answer('consoles.write', () => null);
  link.answer('consoles.close', () => null);
});

async function opened(): Promise<{ session: ConsoleSession<Paper>; paper: Paper }> {
  const session = store.open(web01);
  await vi.waitFor(() => expect(session.state).toBe('open'));
  const paper = new Paper();
  await session.screen(async () => paper);
  return { session, paper };
}

describe('a console session', () => {
  it('keeps what comes before its screen, and acknowledges it only once shown', async () => {
    const session = store.open(web01);
    await vi.waitFor(() => expect(session.state).toBe('open'));
    link.emit('console.data', { consoleId: 'c1', bytes: bytes('tick 1\r\n') });
    const paper = new Paper();
    await session.screen(async () => paper);
    expect(paper.text).toBe('tick 1\r\n');
    expect(link.said('consoles.ack')).toEqual([]);
    paper.show();
    expect(link.said('consoles.ack')).toEqual([{ consoleId: 'c1', bytes: 8 }]);
  });

  it('takes bytes that overtake the answer to open', async () => {
    const gate = link.hold('consoles.open');
    const session = store.open(web01);
    link.emit('console.data', { consoleId: 'c7', bytes: bytes('early') });
    link.emit('console.note', { consoleId: 'c7', note: { type: 'moved', from: 'h1', to: 'h2' } });
    gate.resolve({ consoleId: 'c7' });
    const paper = new Paper();
    await session.screen(async () => paper);
    await vi.waitFor(() => expect(paper.text).toBe('early<moved from kvm1 to kvm2>'));
    expect(session.hostId).toBe('h2');
  });

  it('gathers acknowledgements while one is under way', async () => {
    const { paper } = await opened();
    const gate = link.hold('consoles.ack');
    for (let n = 0; n < 100; n += 1) link.emit('console.data', { consoleId: 'c1', bytes: new Uint8Array(1000) });
    paper.unshown.shift()?.();
    paper.show();
    expect(link.said('consoles.ack')).toEqual([{ consoleId: 'c1', bytes: 1000 }]);
    gate.resolve(null);
    await vi.waitFor(() => expect(link.said('consoles.ack')).toHaveLength(2));
    expect(link.said('consoles.ack')[1]).toEqual({ consoleId: 'c1', bytes: 99_000 });
  });

  it('types in order, one call at a time, in chunks of at most 64 KiB', async () => {
    const { session } = await opened();
    const gate = link.hold('consoles.write');
    session.type(bytes('a'));
    session.type(bytes('b'));
    session.type(new Uint8Array(150_000));
    session.type(bytes('z'));
    expect(link.said('consoles.write')).toHaveLength(1);
    gate.resolve(null);
    await vi.waitFor(() => expect(link.said('consoles.write')).toHaveLength(4));
    const sizes = link.said('consoles.write').map((args) => args.bytes.length);
    expect(sizes).toEqual([1, 65_536, 65_536, 18_930]);
    expect(link.said('consoles.write')[1]?.bytes[0]).toBe(98);
    expect(link.said('consoles.write')[3]?.bytes.at(-1)).toBe(122);
  });

  it('says in the scrollback that it moved, and knows its new host', async () => {
    const { session, paper } = await opened();
    link.emit('console.note', { consoleId: 'c1', note: { type: 'moved', from: 'h1', to: 'h3' } });
    expect(paper.text).toBe('<moved from kvm1 to kvm3>');
    expect(session.hostId).toBe('h3');
  });

  it('says where bytes may be missing', async () => {
    const { session, paper } = await opened();
    link.emit('console.note', { consoleId: 'c1', note: { type: 'gap' } });
    expect(session.gap).toBe(true);
    expect(paper.text).toBe('<bytes may be missing here>');
  });

  it('is closed with its sentence where opening fails', async () => {
    link.answer('consoles.open', () => {
      throw new Failure('conflict', 'Another program holds the console of web01 on kvm1.');
    });
    const session = store.open(web01);
    await vi.waitFor(() => expect(session.state).toBe('closed'));
    expect(session.err).toEqual({ code: 'conflict', message: 'Another program holds the console of web01 on kvm1.' });
  });

  it('takes the console over only when told to', async () => {
    const { session } = await opened();
    link.emit('console.note', {
      consoleId: 'c1',
      note: { type: 'closed', err: { code: 'conflict', message: 'Taken.' } },
    });
    expect(link.said('consoles.open').at(-1)).toEqual(web01);
    await store.connect(session, { takeover: true });
    expect(link.said('consoles.open').at(-1)).toEqual({ ...web01, takeover: true });
    expect(session.state).toBe('open');
  });

  it('comes back when its VM runs again, on the host where that is', async () => {
    const { session, paper } = await opened();
    running = [];
    link.emit('console.note', { consoleId: 'c1', note: { type: 'closed', err: null } });
    store.see();
    expect(session.state).toBe('closed');
    running = ['h2'];
    store.see();
    await vi.waitFor(() => expect(session.state).toBe('open'));
    expect(link.said('consoles.open').at(-1)).toEqual({ hostId: 'h2', uuid: web01.uuid });
    expect(paper.text).toContain('<moved from kvm1 to kvm2>');
  });

  it('comes back when the close was told before the VM stopped', async () => {
    const { session } = await opened();
    link.emit('console.note', { consoleId: 'c1', note: { type: 'closed', err: null } });
    store.see(); // the fleet still shows it running: no reason to knock again
    expect(link.said('consoles.open')).toHaveLength(1);
    running = [];
    store.see();
    running = ['h1'];
    store.see();
    await vi.waitFor(() => expect(session.state).toBe('open'));
  });

  it('never takes a console back from another program by itself', async () => {
    const { session } = await opened();
    link.emit('console.note', {
      consoleId: 'c1',
      note: { type: 'closed', err: { code: 'conflict', message: 'Taken.' } },
    });
    running = [];
    store.see();
    running = ['h1'];
    store.see();
    expect(session.state).toBe('closed');
    expect(link.said('consoles.open')).toHaveLength(1);
  });

  it('comes back with the main side, and leaves closed ones closed', async () => {
    const { session } = await opened();
    const other = store.open({ hostId: 'h1', uuid: '22222222-2222-4222-8222-222222222222' });
    await vi.waitFor(() => expect(other.state).toBe('open'));
    link.emit('console.note', { consoleId: 'c2', note: { type: 'closed', err: null } });
    link.emit('up', false);
    expect(session.state).toBe('closed');
    link.emit('up', true);
    await vi.waitFor(() => expect(session.state).toBe('open'));
    expect(other.state).toBe('closed');
  });

  it('does not mix an earlier connection with the present one', async () => {
    const { session, paper } = await opened();
    link.emit('console.data', { consoleId: 'c1', bytes: bytes('old') });
    await store.connect(session);
    paper.show();
    expect(link.said('consoles.ack')).toEqual([]);
    link.emit('console.data', { consoleId: 'c1', bytes: bytes('late') });
    expect(paper.text).not.toContain('late');
    expect(link.said('consoles.close')).toEqual([{ consoleId: 'c1' }]);
  });

  it('closes what was opened for a session that is gone by then', async () => {
    const gate = link.hold('consoles.open');
    const session = store.open(web01);
    store.close(session);
    gate.resolve({ consoleId: 'c9' });
    await vi.waitFor(() => expect(link.said('consoles.close')).toEqual([{ consoleId: 'c9' }]));
  });

  it('is one per VM and port: opening again answers the same', async () => {
    const { session, paper } = await opened();
    expect(store.open({ ...web01, hostId: 'h2' })).toBe(session);
    store.close(session);
    await vi.waitFor(() => expect(paper.disposed).toBe(true));
    expect(store.sessions.size).toBe(0);
  });

  it('says in the scrollback what typing did not reach', async () => {
    const { session, paper } = await opened();
    link.answer('consoles.write', () => {
      throw new Failure('timeout', 'kvm1 did not take it in time.');
    });
    session.type(bytes('x'));
    await vi.waitFor(() => expect(paper.text).toBe('<what was typed did not arrive: kvm1 did not take it in time.>'));
  });
});

describe('the paste guard', () => {
  it.each(['ls -l', 'ls -l\n', 'ls\r\n', ''])('lets one line in unasked: %j', (text) => {
    expect(pasteQuestion(text)).toBeNull();
  });

  it.each(['a\nb', 'a\r\nb\r\n', 'a\rb', '\n\n'])('asks about several lines: %j', (text) => {
    expect(pasteQuestion(text)?.lines).toBe(2);
  });

  it('shows the first lines and how many more there are, with nothing hidden', () => {
    const question = pasteQuestion(`echo \u001b[2Jhi\n${'x\n'.repeat(20)}`);
    expect(question?.lines).toBe(21);
    expect(question?.preview.split('\n')).toEqual(['echo ␛[2Jhi', ...Array<string>(7).fill('x'), '… 13 more']);
  });
});
