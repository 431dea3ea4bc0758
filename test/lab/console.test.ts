// Serial consoles on real hosts: shared, contested, flooded, and going with the VM when it moves.
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { HostView, MigrationView } from '../../contract/model.ts';
import { Connection, consoleFlags } from '../../src-main/libvirt/index.ts';
import { Lab } from './lab.ts';
import { until } from './run.ts';
import { Served, type Watched } from './served.ts';

const lab = await Lab.open();
let drover: Served;
let hosts: Record<string, HostView>;
const idOf = (name: string) => hosts[name]?.id as string;
const type = (watched: Watched, text: string) => watched.socket.send(Buffer.from(text));
/** Another program, on the host itself, that has the console open. */
async function otherProgram(
  guest: string,
  force: boolean,
): Promise<{ ended: Promise<unknown>; close: () => Promise<void> }> {
  const socket = `/proc/${lab.host('kvm1').init.pid}/root/run/libvirt/libvirt-sock`;
  const connection = await Connection.open(connect(socket), { uri: 'qemu:///system', keepalive: false });
  const { dom } = await connection.call('domain_lookup_by_name', { name: guest });
  const stream = await connection.openStream('domain_open_console', { dom, flags: force ? consoleFlags.force : 0 });
  const ended = new Promise((resolve) => stream.on('error', resolve));
  stream.resume();
  return { ended, close: () => connection.close() };
}
const gapless = (ticks: number[]) => ticks.every((tick, at) => at === 0 || tick === (ticks[at - 1] as number) + 1);

async function move(name: string, to: string): Promise<MigrationView> {
  const { uuid, hostId } = await drover.domain(name);
  const { id } = await drover.get<MigrationView>('POST', '/migrations', { uuid, from: hostId, to: idOf(to) });
  return drover.migrated(id);
}

beforeAll(async () => {
  drover = await Served.start();
  hosts = await drover.addLab(lab);
});
afterAll(async () => {
  await drover.remove();
  await lab.reset();
});
beforeEach(() => lab.reset());

const opened: Watched[] = [];
async function open(name: string, query?: string): Promise<Watched> {
  const domain = await until(`${name} runs`, async () => {
    const found = await drover.domain(name);
    return found.state === 'running' && found;
  });
  const watched = drover.console(domain, query);
  opened.push(watched);
  return watched;
}
afterEach(() => {
  for (const { socket } of opened.splice(0)) socket.terminate();
});

it('shows what the guest says, and types into it', async () => {
  const console = await open('web01');
  await console.note('open');
  await until('it ticks', () => console.ticks.length >= 2);
  type(console, 'echo six-times-seven-is-$((6*7))\r');
  await console.says('six-times-seven-is-42');
});

it('is shared by several viewers, and stays for one when the other leaves', async () => {
  const [one, two] = await Promise.all([open('web01'), open('web01')]);
  await until('both tick', () => one.ticks.length > 0 && two.ticks.length > 0);
  type(one, 'echo seen-by-$((1+1))\r');
  await Promise.all([one.says('seen-by-2'), two.says('seen-by-2')]);
  one.socket.close();
  const before = two.ticks.length;
  await until('the other ticks on', () => two.ticks.length > before);
});

it('says when another program holds it, and takes it over only when asked', async () => {
  const other = await otherProgram('web01', false);
  const refused = await open('web01');
  expect((await refused.note('closed'))['err']).toMatchObject({ code: 'conflict' });
  const taken = await open('web01', '&takeover=1');
  await until('it ticks here', () => taken.ticks.length > 0);
  await other.ended;
  await other.close();
});

it('tells its viewer when another program takes it over', async () => {
  const console = await open('web01');
  await until('it ticks', () => console.ticks.length > 0);
  const other = await otherProgram('web01', true);
  expect((await console.note('closed'))['err']).toMatchObject({ code: 'conflict' });
  await other.close();
});

it('closes when the guest stops', async () => {
  const console = await open('web01');
  await until('it ticks', () => console.ticks.length > 0);
  await lab.virsh('kvm1', 'destroy', 'web01');
  expect((await console.note('closed'))['err']).toBeNull();
});

it('names what is not there', async () => {
  const console = await open('web01', '&target=serial7');
  expect((await console.note('closed'))['err']).toMatchObject({ code: 'not-found' });
});

describe('a console whose VM moves', () => {
  it('goes with it, says so, and misses no tick', async () => {
    const [one, two] = await Promise.all([open('web01'), open('web01')]);
    await until('both tick', () => one.ticks.length > 1 && two.ticks.length > 1);
    expect((await move('web01', 'kvm2')).state).toBe('completed');
    for (const console of [one, two]) {
      expect(await console.note('moved')).toMatchObject({ from: idOf('kvm1'), to: idOf('kvm2') });
      const last = console.ticks.length;
      await until('it ticks on', () => console.ticks.length > last + 1);
      expect(gapless(console.ticks)).toBe(true);
      expect(console.notes.map((note) => note.type)).toEqual(['open', 'moved']);
    }
    type(one, 'echo still-typed-$((40+2))\r');
    await two.says('still-typed-42');
  });

  it('goes there and back again, to the host where neither QEMU nor the login is root', async () => {
    const console = await open('db01');
    await until('it ticks', () => console.ticks.length > 1);
    for (const to of ['kvm3', 'kvm1', 'kvm3']) expect((await move('db01', to)).state).toBe('completed');
    const last = console.ticks.length;
    await until('it ticks on', () => console.ticks.length > last + 1);
    expect(gapless(console.ticks)).toBe(true);
    expect(console.notes.filter((note) => note.type === 'moved')).toHaveLength(3);
  });

  it('goes with it when virsh moves it behind our back', async () => {
    const console = await open('web01');
    await until('it ticks', () => console.ticks.length > 1);
    const { uri: from } = lab.host('kvm1');
    const { uri: to, address } = lab.host('kvm2');
    await lab.exec('adm', [
      'virsh',
      '-c',
      from,
      'migrate',
      '--live',
      '--persistent',
      '--undefinesource',
      'web01',
      to,
      `tcp://${address}`,
    ]);
    await console.note('moved');
    const last = console.ticks.length;
    await until('it ticks on', () => console.ticks.length > last + 1);
    expect(gapless(console.ticks)).toBe(true);
    await until('the list follows', async () => (await drover.domain('web01')).hostId === idOf('kvm2'));
  });

  it('stays where it is when the move is cancelled', async () => {
    await lab.ensureRunning('busy01', 'kvm1');
    const console = await open('busy01');
    const { uuid, hostId } = await drover.domain('busy01');
    const { id } = await drover.get<MigrationView>('POST', '/migrations', {
      uuid,
      from: hostId,
      to: idOf('kvm2'),
      options: { bandwidthMiBps: 8 },
    });
    await until(
      'it moves',
      async () => (await drover.get<MigrationView>('GET', `/migrations/${id}`)).phase === 'perform',
    );
    await drover.get('POST', `/migrations/${id}/cancel`);
    expect((await drover.migrated(id)).state).toBe('cancelled');
    const last = console.ticks.length;
    await until('it ticks on', () => console.ticks.length > last + 1);
    expect(gapless(console.ticks)).toBe(true);
    expect(console.notes.map((note) => note.type)).toEqual(['open']);
  });
});

it('floods without holding anything else up', async () => {
  const console = await open('web01');
  await until('it ticks', () => console.ticks.length > 0);
  type(console, 'yes a-line-of-a-flood | head -n 5000; echo the-flood-is-over-$((1+1))\r');
  await until('the flood is there', () => console.text.length > 20_000);
  // The same host, the same SSH connection: calls and another console go on.
  const other = await open('db01');
  await until('another console ticks', () => other.ticks.length > 1);
  expect((await drover.get<HostView>('GET', `/hosts/${idOf('kvm1')}`)).connections).toBe(1);
  await console.says('the-flood-is-over-2');
});
