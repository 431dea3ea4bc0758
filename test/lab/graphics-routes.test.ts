// Graphical consoles where the way to them is not the usual one: by the system's own ssh, and over SSH servers that
// forward nothing.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { HostView } from '../../contract/model.ts';
import { Lab } from './lab.ts';
import { until } from './run.ts';
import { Served } from './served.ts';

const lab = await Lab.open();
let drover: Served;
const undo: (() => unknown)[] = [];

beforeAll(async () => {
  await lab.reset();
  const strict = ['AllowTcpForwarding=no', 'AllowStreamLocalForwarding=no'];
  const options = ['Port=2401', 'PidFile=none', ...strict].flatMap((option) => ['-o', option]);
  const server = lab.spawn('kvm1', ['/usr/sbin/sshd', '-D', ...options]);
  undo.push(() => server.kill());
  const there = ['bash', '-c', 'exec 3<>/dev/tcp/127.0.0.1/2401 && read -r -t 5 line <&3'];
  await until('the SSH server answers', () =>
    lab.exec('kvm1', there).then(
      () => true,
      () => false,
    ),
  );
});
afterEach(async () => {
  await drover.remove();
  await lab.virsh('kvm1', 'destroy', 'web01');
  await lab.virsh('kvm1', 'undefine', 'web01'); // the lab defines it anew
  await lab.reset();
});
afterAll(() => {
  for (const back of undo) back();
});

it.each([
  ['by the system’s ssh, VNC at a port', '', '&command=ssh', `<graphics type='vnc' autoport='yes'/>`],
  [
    'by the system’s ssh, VNC at a socket',
    '',
    '&command=ssh',
    `<graphics type='vnc'><listen type='socket'/></graphics>`,
  ],
  ['without forwarding, VNC at a port', ':2401', '', `<graphics type='vnc' autoport='yes'/>`],
  ['without forwarding, VNC at a socket', ':2401', '', `<graphics type='vnc'><listen type='socket'/></graphics>`],
  ['by both', ':2401', '&command=ssh', `<graphics type='vnc' autoport='yes'/>`],
])('%s', async (_what, port, parameters, graphics) => {
  const xml = await lab.virsh('kvm1', 'dumpxml', '--inactive', 'web01');
  await lab.virsh('kvm1', 'destroy', 'web01');
  await lab.define('kvm1', xml.replace(/<graphics[^]*?<\/graphics>/, graphics));
  await lab.virsh('kvm1', 'start', 'web01');
  drover = await Served.start();
  const uri = lab.host('kvm1').uri.replace(/(@[^/]+)\//, `$1${port}/`) + parameters;
  const { id } = await drover.get<HostView>('POST', '/hosts', { uri, label: 'kvm1' });
  const domain = await until('web01 is seen', async () => {
    const found = await drover.domain('web01').catch(() => null);
    return found?.state === 'running' && found;
  });
  const screens = [drover.graphics(domain), drover.graphics(domain)];
  for (const screen of screens) await screen.shows();
  screens[0]?.viewer.type('a');
  expect(screens[0]?.notes).toEqual([{ type: 'open' }]);
  expect((await drover.get<HostView>('GET', `/hosts/${id}`)).connections).toBe(1);
  for (const { socket } of screens) socket.terminate();
  const left = () => lab.exec('kvm1', ['sh', '-c', 'ps ax | grep "[n]c -q0 " || true']);
  await until('no program is left on the host', async () => (await left()).trim() === '');
});
