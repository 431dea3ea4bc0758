// A login that is neither root nor in libvirt's group, on a host whose sudo lets it: it gets all of libvirt.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { HostView, MigrationView, Question } from '../../contract/model.ts';
import { Actions } from '../../src-main/fleet/actions.ts';
import { Fleet } from '../../src-main/fleet/fleet.ts';
import type { Host } from '../../src-main/fleet/host.ts';
import { Questions } from '../../src-main/fleet/questions.ts';
import { KnownHosts, SecretCache } from '../../src-main/ssh/index.ts';
import { Lab } from './lab.ts';
import { until } from './run.ts';
import { Served } from './served.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-lab-sudo-'));
let lab: Lab;
let fleet: Fleet | null = null;

/** Name, number, what sudo lets it. */
const users = [
  ['free', 2101, 'free ALL=(root) NOPASSWD: ALL'],
  ['narrow', 2102, 'narrow ALL=(root) NOPASSWD: /usr/bin/virt-ssh-helper'],
  ['asked', 2103, 'asked ALL=(ALL) ALL'],
  ['barred', 2104, ''],
  ['grouped', 2105, 'grouped ALL=(root) NOPASSWD: ALL'],
] as const;

const sh = (command: string) => lab.exec('kvm3', ['sh', '-c', command]);

beforeAll(async () => {
  lab = await Lab.open();
  await lab.reset();
  for (const [name, id, rule] of users) {
    // By hand: the files of accounts are mounts, which useradd cannot replace. The password is that of ops.
    const lines = [
      'for f in passwd group shadow sudoers.d; do grep -q " /etc/$f " /proc/mounts || exit 9; done',
      `id ${name} >/dev/null 2>&1 && exit 0`,
      `echo ${name}:x:${id}:${id}::/home/${name}:/bin/sh >>/etc/passwd`,
      `echo ${name}:x:${id}: >>/etc/group`,
      `sed -n 's/^ops:/${name}:/p' /etc/shadow >/tmp/shadow && cat /tmp/shadow >>/etc/shadow`,
      `install -d -o ${id} -g ${id} -m 700 /home/${name}`,
      `echo '${rule}' >/etc/sudoers.d/${name}; chmod 440 /etc/sudoers.d/${name}`,
    ];
    await sh(lines.join('\n'));
  }
  await sh('sed "s/^sudo:x:\\([0-9]*\\):.*/sudo:x:\\1:grouped/" /etc/group >/tmp/group && cat /tmp/group >/etc/group');
});
afterEach(async () => {
  await fleet?.close();
  fleet = null;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const uriOf = (user: string) =>
  `qemu+ssh://${user}@${lab.host('kvm3').address}/system?sudo=1&keyfile=${lab.admin.keys.ed25519}&known_hosts=${lab.admin.knownHosts}`;

/** @param answer To what is asked; undefined: no window is open. Null: cancelled. */
function begin(uri: string, answer?: (question: Question) => string | null, secrets = new SecretCache()) {
  const knownHosts = new KnownHosts({ own: join(folder, 'own'), user: [lab.admin.knownHosts], system: [] });
  const asked: Question[] = [];
  const questions: Questions = new Questions((delta) => {
    if (delta.event !== 'question' || 'removed' in delta.data) return;
    const question = delta.data;
    asked.push(question);
    const said = answer?.(question) ?? null;
    queueMicrotask(() => questions.answer(question.id, said === null ? null : [said]));
  });
  if (answer) questions.windows(1);
  const tell = () => undefined;
  fleet = new Fleet({ logins: { knownHosts, secrets }, questions, tell, save: tell });
  return { host: fleet.add(uri), asked };
}

const settled = (host: Host) =>
  until(`${host.label} is settled`, () => host.state !== 'connecting' && host.state !== 'disconnected');

/** That all may be done there, over one SSH connection. */
async function expectAll(host: Host) {
  await settled(host);
  expect(host.view()).toMatchObject({ state: 'online', error: null, readOnly: false, connections: 1 });
  const { uuid } = host.domains.all.find(({ name }) => name === 'build01')!;
  const actions = new Actions(fleet!);
  await actions.act({ hostId: host.id, uuid }, 'suspend');
  expect((await lab.virsh('kvm3', 'domstate', 'build01')).trim()).toBe('paused');
  await actions.act({ hostId: host.id, uuid }, 'resume');
  expect((await lab.virsh('kvm3', 'domstate', 'build01')).trim()).toBe('running');
}

it.each(['free', 'narrow'])('%s, whom sudo asks for nothing, may do all', async (user) => {
  const { host, asked } = begin(uriOf(user));
  await expectAll(host);
  expect(asked).toEqual([]);
});

it('who may not run the helper, but netcat, gets there by netcat', async () => {
  await sh('echo "narrow ALL=(root) NOPASSWD: /usr/bin/nc" >/etc/sudoers.d/narrow');
  try {
    const { host } = begin(uriOf('narrow').replace('sudo=1', 'sudo=1&proxy=netcat'));
    await expectAll(host);
  } finally {
    await sh('echo "narrow ALL=(root) NOPASSWD: /usr/bin/virt-ssh-helper" >/etc/sudoers.d/narrow');
  }
});

it('whom sudo asks for a password is asked once, again where it was wrong, and not at a reconnect', async () => {
  const answers = ['wrong', lab.state.password];
  const secrets = new SecretCache();
  const { host, asked } = begin(uriOf('asked'), () => answers.shift() ?? null, secrets);
  await expectAll(host);
  expect(asked.map(({ kind, again }) => [kind, again])).toEqual([
    ['password', false],
    ['password', true],
  ]);
  expect(asked[0]?.prompts[0]?.text).toMatch(/asked for sudo/);
  await host.disconnect();
  host.connect();
  await expectAll(host);
  expect(asked).toHaveLength(2);
  // Nothing of it is to be seen among the host's processes, or in its logs.
  const unlike = lab.state.password.replace(/d$/, '[d]'); // so that this very command does not hold it
  const seen = await sh(
    `cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | grep -ac '${unlike}'; grep -rc '${unlike}' /var/log/libvirt/libvirtd.log; true`,
  );
  expect(seen.trim().split('\n')).toEqual(['0', '0']);
});

it('a cancelled question of sudo ends the login, and nobody to ask leaves the host read-only', async () => {
  const { host } = begin(uriOf('asked'), () => null);
  await settled(host);
  expect(host.view()).toMatchObject({ state: 'auth-failed' });
  expect(host.view().error?.message).toMatch(/cancelled at the question of sudo/);
  await fleet?.close();
  const alone = begin(uriOf('asked')).host;
  await settled(alone);
  expect(alone.view()).toMatchObject({ state: 'online', readOnly: true });
  expect(alone.view().readOnlyWhy).toMatch(
    /nobody to answer.*asked ALL=\(root\) NOPASSWD: \/usr\/bin\/virt-ssh-helper/,
  );
});

it('whom sudo refuses may look, and is told the line that helps', async () => {
  const { host } = begin(uriOf('barred'), () => lab.state.password);
  await settled(host);
  expect(host.view()).toMatchObject({ state: 'online', readOnly: true });
  expect(host.view().readOnlyWhy).toMatch(/does not let barred run virt-ssh-helper as root.*barred ALL=\(root\)/);
});

it('where sudo would do, who connects without it is told so', async () => {
  const { host } = begin(uriOf('grouped').replace('sudo=1&', ''));
  await settled(host);
  expect(host.view()).toMatchObject({ state: 'online', readOnly: true });
  expect(host.view().readOnlyWhy).toMatch(/usermod -aG libvirt grouped.*add sudo=1 to the host’s URI/);
});

it('a VM goes live to a host that is reached by sudo, with its disk, and back; by relay too', async () => {
  const drover = await Served.start();
  const disk = '/var/lib/libvirt/images/files01.qcow2';
  try {
    await sh(`rm -f ${disk}`);
    const add = (uri: string, label: string) => drover.get<HostView>('POST', '/hosts', { uri, label });
    const ids = {
      kvm1: (await add(lab.host('kvm1').uri, 'kvm1')).id,
      kvm3: (await add(uriOf('free'), 'kvm3')).id,
    };
    const move = async (name: string, from: 'kvm1' | 'kvm3', to: 'kvm1' | 'kvm3', options: object) => {
      const { uuid } = await until(`${name} is seen`, () => drover.domain(name, from).catch(() => null));
      const body = { uuid, from: ids[from], to: ids[to], options };
      const { id } = await drover.get<MigrationView>('POST', '/migrations', body);
      const ended = await drover.migrated(id);
      expect(ended.error).toBeNull();
      expect(ended.state).toBe('completed');
      expect(await lab.whereabouts(name)).toEqual([{ host: to, state: 'running' }]);
      await lab.waitForTick(name);
      return ended;
    };
    await lab.ensureRunning('files01', 'kvm1');
    await move('files01', 'kvm1', 'kvm3', { storage: 'copy' });
    await lab.exec('kvm1', ['rm', '-f', disk]);
    await move('files01', 'kvm3', 'kvm1', { storage: 'copy', transport: 'relay' });
    await sh(`rm -f ${disk}`);
    await lab.ensureRunning('web01', 'kvm1');
    await move('web01', 'kvm1', 'kvm3', { transport: 'relay' });
    await move('web01', 'kvm3', 'kvm1', {});
    expect(await sh('ls -d /run/drover-* /tmp/drover-* 2>/dev/null || true')).toBe('');
  } finally {
    await drover.remove();
    await lab.reset();
  }
}, 240_000);
