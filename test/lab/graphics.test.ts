// Graphical consoles on real hosts: QEMU's own VNC server by its port and by a socket, and going with the VM when it moves.
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { HostView, MigrationView } from '../../contract/model.ts';
import { Lab } from './lab.ts';
import { until } from './run.ts';
import { Served, type WatchedScreen } from './served.ts';

const lab = await Lab.open();
let drover: Served;
let hosts: Record<string, HostView>;
const idOf = (name: string) => hosts[name]?.id as string;

beforeAll(async () => {
  drover = await Served.start();
  hosts = await drover.addLab(lab);
});
afterAll(async () => {
  await drover.remove();
  await lab.reset();
});
beforeEach(() => lab.reset());

const opened: WatchedScreen[] = [];
async function open(name: string, query?: string): Promise<WatchedScreen> {
  // As it runs now: it may just have been started anew.
  const id = Number(await lab.virsh('kvm1', 'domid', name));
  const domain = await until(`${name} runs`, async () => {
    const found = await drover.domain(name);
    return found.state === 'running' && found.id === id && found;
  });
  const screen = drover.graphics(domain, query);
  opened.push(screen);
  return screen;
}
afterEach(async () => {
  for (const { socket } of opened.splice(0)) socket.terminate();
  if (!changed) return;
  changed = false;
  await lab.virsh('kvm1', 'destroy', 'web01');
  await lab.virsh('kvm1', 'undefine', 'web01'); // the lab defines it anew
});

/** Whether web01 has another definition than the lab's. */
let changed = false;
/** The definition with another graphics device, until the test is over. */
async function withGraphics(name: string, graphics: string): Promise<void> {
  const xml = await lab.virsh('kvm1', 'dumpxml', '--inactive', name);
  changed = true;
  await lab.virsh('kvm1', 'destroy', name);
  await lab.define('kvm1', xml.replace(/<graphics[^]*?<\/graphics>/, graphics));
  await lab.virsh('kvm1', 'start', name);
}

it('shows what QEMU’s own VNC server shows, to two viewers at once, over the host’s one connection', async () => {
  const [one, two] = await Promise.all([open('web01'), open('web01', '&target=vnc0')]);
  await Promise.all([one.shows(), two.shows()]);
  expect(one.viewer.name).toContain('web01');
  expect([one.viewer.width, one.viewer.height]).toEqual([two.viewer.width, two.viewer.height]);
  expect((await drover.get<HostView>('GET', `/hosts/${idOf('kvm1')}`)).connections).toBe(1);
  one.viewer.type('a');
  expect(one.notes).toEqual([{ type: 'open' }]);
});

it('is reached by a Unix socket too', async () => {
  await withGraphics('web01', `<graphics type='vnc'><listen type='socket'/></graphics>`);
  expect(await lab.virsh('kvm1', 'dumpxml', 'web01')).toMatch(/<graphics type='vnc' socket='\//);
  const screen = await open('web01');
  await screen.shows();
});

it('takes a password', async () => {
  await withGraphics('web01', `<graphics type='vnc' autoport='yes' passwd='s3cret'/>`);
  const wrong = await open('web01');
  wrong.viewer.password = 'nonsense';
  await until('it is refused', async () => wrong.viewer.state === 'refused');
  const right = await open('web01');
  right.viewer.password = 's3cret';
  await right.shows();
  expect(drover.log.join('\n')).not.toContain('s3cret');
});

it('goes with its VM when Drover moves it, and when virsh does', async () => {
  const screen = await open('web01');
  await screen.shows();
  const { uuid, hostId } = await drover.domain('web01');
  const { id } = await drover.get<MigrationView>('POST', '/migrations', { uuid, from: hostId, to: idOf('kvm2') });
  expect((await drover.migrated(id)).state).toBe('completed');
  expect(await screen.note('moved')).toMatchObject({ from: idOf('kvm1'), to: idOf('kvm2') });
  await screen.shows();
  expect(screen.viewer.begun).toBe(2);

  const { uri: from } = lab.host('kvm2');
  const { uri: to, address } = lab.host('kvm1');
  const how = ['--live', '--persistent', '--undefinesource'];
  await lab.exec('adm', ['virsh', '-c', from, 'migrate', ...how, 'web01', to, `tcp://${address}`]);
  await until('it has moved back', async () => screen.notes.filter(({ type }) => type === 'moved').length === 2);
  await screen.shows();
  expect(screen.notes.map(({ type }) => type)).toEqual(['open', 'moved', 'moved']);
});

it('closes when the guest stops, and says what a VM without one lacks', async () => {
  const screen = await open('web01');
  await screen.shows();
  await lab.virsh('kvm1', 'destroy', 'web01');
  expect((await screen.note('closed'))['err']).toBeNull();
  const blind = await open('db01');
  expect((await blind.note('closed'))['err']).toMatchObject({
    code: 'not-found',
    message: expect.stringContaining('Add a VNC graphics device') as string,
  });
});
