// What a login may do on a host: all, look only, or use a daemon of its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Actions } from '../../src-main/fleet/actions.ts';
import { Fleet } from '../../src-main/fleet/fleet.ts';
import type { Host } from '../../src-main/fleet/host.ts';
import { Questions } from '../../src-main/fleet/questions.ts';
import { KnownHosts, SecretCache } from '../../src-main/ssh/index.ts';
import { Lab } from './lab.ts';
import { until } from './run.ts';

let lab: Lab;
let fleet: Fleet;
const folder = mkdtempSync(join(tmpdir(), 'drover-lab-privileges-'));

/** By hand: the files of accounts are mounts, which useradd cannot replace. */
const addUser = [
  // They are the lab's own only while its mounts lie over them: never the machine's.
  'for f in passwd group shadow; do grep -q " /etc/$f " /proc/mounts || exit 9; done',
  'grep -q " /home " /proc/mounts || exit 9',
  'id looker >/dev/null 2>&1 && exit 0',
  'echo looker:x:2001:2001::/home/looker:/bin/sh >>/etc/passwd',
  'echo looker:x:2001: >>/etc/group',
  "echo 'looker:*:19000::::::' >>/etc/shadow",
  'install -d -o 2001 -g 2001 -m 700 /home/looker',
];

beforeAll(async () => {
  lab = await Lab.open();
  await lab.reset();
  await lab.exec('kvm3', ['sh', '-e', '-c', addUser.join('\n')]);
});
afterEach(() => fleet.close());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function connected(uri: string): Promise<Host> {
  const knownHosts = new KnownHosts({ own: join(folder, 'own'), user: [lab.admin.knownHosts], system: [] });
  const tell = () => undefined;
  fleet = new Fleet({
    logins: { knownHosts, secrets: new SecretCache() },
    questions: new Questions(tell),
    tell,
    save: tell,
  });
  const host = fleet.add(`qemu+ssh://${uri}keyfile=${lab.admin.keys.ed25519}`);
  await until(`${uri} is online`, async () => {
    if (host.view().error) throw new Error(host.view().error?.message);
    return host.state === 'online';
  });
  return host;
}

const kvm3 = () => lab.host('kvm3').address;

it('a user outside the group libvirt looks, and is told what would let it change things', async () => {
  const host = await connected(`looker@${kvm3()}/system?`);
  expect(host.view()).toMatchObject({ readOnly: true, connections: 1 });
  expect(host.view().readOnlyWhy).toMatch(
    /looker may not use libvirt on .*belongs to group libvirt.*usermod -aG libvirt looker/,
  );
  const vm = host.domains.all.find(({ name }) => name === 'build01');
  expect(vm?.state).toBe('running');
  const { uuid } = vm!;
  for (const action of ['destroy', 'suspend'] as const) {
    await expect(new Actions(fleet).act({ hostId: host.id, uuid }, action)).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('is connected read-only') as string,
    });
  }
  expect((await lab.exec('kvm3', ['virsh', 'domstate', 'build01'])).trim()).toBe('running');
});

it('a URI that names the read-only socket is read-only, whoever logs in', async () => {
  const host = await connected(`ops@${kvm3()}/system?socket=/run/libvirt/libvirt-sock-ro&`);
  expect(host.view().readOnly).toBe(true);
  expect(host.view().readOnlyWhy).toContain('/run/libvirt/libvirt-sock-ro');
  expect(host.domains.all.map(({ name }) => name)).toContain('build01');
});

it('a session is a daemon of the user’s own, without the system’s VMs', async () => {
  const host = await connected(`looker@${kvm3()}/session?`);
  expect(host.view().readOnly).toBe(false);
  expect(host.domains.all).toEqual([]);
});
