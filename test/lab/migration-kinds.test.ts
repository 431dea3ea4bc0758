// Real hosts: what goes along with a VM, and how: cold with its disks, several disks copied while it runs, only what
// was written over a shared file, another name, other places by edited XML.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { HostView, MigrationView, Preflight } from '../../contract/model.ts';
import { domainXml, guestNamed } from './guests.ts';
import { Lab } from './lab.ts';
import { until } from './run.ts';
import { Served } from './served.ts';

const lab = await Lab.open();
let drover: Served;
let hosts: Record<string, HostView>;
const images = '/var/lib/libvirt/images';
const name = 'twins01';
const uuid = '6a5e0000-1ab0-4000-8000-00000000f001';
const undos: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  await lab.reset();
  drover = await Served.start();
  hosts = await drover.addLab(lab);
});
afterAll(async () => {
  await drover.remove();
  await lab.reset();
});
afterEach(async () => {
  for (const { host } of await lab.whereabouts(name)) {
    await lab.virsh(host, 'destroy', name).catch(() => '');
    await lab.virsh(host, 'undefine', '--nvram', name).catch(() => '');
  }
  for (const { name: host } of lab.hosts) {
    await sh(host, `rm -rf ${images}/${name}* ${images}/other /var/lib/other; rm -f /srv/shared/${name}*`);
  }
  for (const undo of undos.splice(0).reverse()) await undo();
});

const idOf = (host: string) => hosts[host]?.id ?? '';
const sh = async (host: string, command: string) => (await lab.exec(host, ['sh', '-c', command])).trim();

interface Disk {
  path: string;
  format: string;
}

/** Shut off on a host, with these disks. */
async function define(host: string, disks: Disk[], change = (xml: string) => xml): Promise<void> {
  const plain = domainXml({ ...guestNamed('web01'), name, uuid });
  const elements = disks.map(
    ({ path, format }, at) =>
      `<disk type="file" device="disk"><driver name="qemu" type="${format}" cache="none"/><source file="${path}"/><target dev="vd${'abc'[at]}" bus="virtio"/></disk>`,
  );
  const whole = plain.replace('<devices>', `<devices>${elements.join('')}`);
  await lab.define(host, change(whole));
}

/** As the guest sees it, from a byte on. */
const contents = (host: string, { path, format }: Disk, from = 0) =>
  sh(
    host,
    `qemu-img convert -U -f ${format} -O raw ${path} /tmp/$$ && tail -c +${from + 1} /tmp/$$ | sha256sum; rm -f /tmp/$$`,
  );
const file = (host: string, path: string) => sh(host, `sha256sum < ${path}`);

async function start(from: string, to: string, options: object): Promise<MigrationView> {
  await until(`${name} is seen`, () => drover.domain(name, from).catch(() => null));
  return drover.get<MigrationView>('POST', '/migrations', { uuid, from: idOf(from), to: idOf(to), options });
}
const view = (id: string) => drover.get<MigrationView>('GET', `/migrations/${id}`);
const migrate = async (from: string, to: string, options: object) =>
  drover.migrated((await start(from, to, options)).id);
async function preflight(from: string, to: string, options: object): Promise<Preflight> {
  await until(`${name} is seen`, () => drover.domain(name, from).catch(() => null));
  return drover.get<Preflight>('POST', '/migrations/preflight', { uuid, from: idOf(from), to: idOf(to), options });
}

/** One is a qcow2 with something in it, the other raw and with holes. */
async function twoDisks(host: string): Promise<[Disk, Disk]> {
  const a = { path: `${images}/${name}-a.qcow2`, format: 'qcow2' };
  const b = { path: `${images}/${name}-b.raw`, format: 'raw' };
  await sh(host, `qemu-img create -q -f qcow2 ${a.path} 96M; qemu-img create -q -f raw ${b.path} 48M`);
  await sh(host, `qemu-io -f qcow2 -c 'write -P 0x5a 1M 7M' -c 'write -P 0xa5 70M 3M' ${a.path}`);
  await sh(host, `dd if=/dev/urandom of=${b.path} bs=1M seek=5 count=20 conv=notrunc status=none`);
  return [a, b];
}

/** A disk that is laid over another file. */
async function layered(host: string): Promise<{ base: string; top: Disk }> {
  const base = `${images}/${name}-base.qcow2`;
  const top = { path: `${images}/${name}-top.qcow2`, format: 'qcow2' };
  await sh(host, `qemu-img create -q -f qcow2 ${base} 32M; qemu-io -f qcow2 -c 'write -P 0x11 1M 8M' ${base}`);
  await sh(host, `qemu-img create -q -f qcow2 -b ${base} -F qcow2 ${top.path}`);
  await sh(host, `qemu-io -f qcow2 -c 'write -P 0x22 7M 4M' ${top.path}`);
  await define(host, [top]);
  return { base, top };
}

it('cold: a shut-off VM goes with both of its disks, byte for byte, and leaves the source’s files', async () => {
  const disks = await twoDisks('kvm1');
  await define('kvm1', disks);
  const before = await Promise.all(disks.map(({ path }) => file('kvm1', path)));
  const ended = await migrate('kvm1', 'kvm3', { mode: 'cold' });
  expect(ended.error).toBeNull();
  expect(ended).toMatchObject({ state: 'completed', options: { storage: 'copy', transport: 'direct' } });
  expect(ended.progress).toMatchObject({ percent: 100, dataRemainingBytes: 0 });
  expect(ended.verdict).toEqual({ runningOn: [], definedOn: [idOf('kvm3')] });
  expect(ended.notices?.join()).toContain(disks[0].path);
  expect(await lab.whereabouts(name)).toEqual([{ host: 'kvm3', state: 'shut off' }]);
  expect(await Promise.all(disks.map(({ path }) => file('kvm3', path)))).toEqual(before);
  expect(await Promise.all(disks.map(({ path }) => file('kvm1', path)))).toEqual(before);
  // What libvirt takes them for over there, and the VM itself.
  expect(await lab.virsh('kvm3', 'vol-dumpxml', '--pool', 'default', `${name}-a.qcow2`)).toMatch(
    /<capacity unit='bytes'>100663296<[^]*<format type='qcow2'\/>/,
  );
  await lab.virsh('kvm3', 'start', name);
  await lab.waitForTick(name, 0);
});

it('cold: one that is cancelled while its disks are copied leaves nothing behind', async () => {
  const disks = await twoDisks('kvm1');
  await define('kvm1', disks);
  const { id } = await start('kvm1', 'kvm2', { mode: 'cold', bandwidthMiBps: 1 });
  await until('bytes go over', async () => (await view(id)).progress.dataProcessedBytes > 0);
  expect(await view(id)).toMatchObject({ phase: 'copy', state: 'running' });
  await drover.get('POST', `/migrations/${id}/cancel`);
  expect(await drover.migrated(id)).toMatchObject({ state: 'cancelled', error: null });
  expect(await lab.whereabouts(name)).toEqual([{ host: 'kvm1', state: 'shut off' }]);
  expect(await sh('kvm2', `ls ${images}`)).not.toContain(name);
});

it('cold: one that is started meanwhile stays, and nothing is left of the copies', async () => {
  await define('kvm1', await twoDisks('kvm1'));
  const { id } = await start('kvm1', 'kvm2', { mode: 'cold', bandwidthMiBps: 1 });
  await until('bytes go over', async () => (await view(id)).progress.dataProcessedBytes > 0);
  await lab.virsh('kvm1', 'start', name);
  const ended = await drover.migrated(id);
  expect(ended.state).toBe('failed');
  expect(ended.error?.message).toContain('started on kvm1');
  expect(await lab.whereabouts(name)).toEqual([{ host: 'kvm1', state: 'running' }]);
  expect(await sh('kvm2', `ls ${images}`)).not.toContain(name);
});

it('cold: what a disk is laid over goes along', async () => {
  const { base, top } = await layered('kvm1');
  const before = await contents('kvm1', top);
  const ended = await migrate('kvm1', 'kvm2', { mode: 'cold' });
  expect(ended.error).toBeNull();
  expect(await contents('kvm2', top)).toBe(before);
  expect(await file('kvm2', base)).toBe(await file('kvm1', base));
});

it('cold: a disk from a folder that is no pool, to another place by edited XML, under another name', async () => {
  await sh('kvm1', 'mkdir -p /var/lib/other');
  const here = { path: `/var/lib/other/${name}.qcow2`, format: 'qcow2' };
  const there = { path: `${images}/${name}-there.qcow2`, format: 'qcow2' };
  await sh(
    'kvm1',
    `qemu-img create -q -f qcow2 ${here.path} 32M; qemu-io -f qcow2 -c 'write -P 0x77 1M 9M' ${here.path}`,
  );
  const pools = await lab.virsh('kvm1', 'pool-list', '--all', '--name');
  await define('kvm1', [here]);
  const xml = await lab.virsh('kvm1', 'dumpxml', '--inactive', name);
  const renamed = 'twins01-moved';
  const destXml = xml.replace(here.path, there.path);
  try {
    const ended = await migrate('kvm1', 'kvm2', { mode: 'cold', destXml, destName: renamed });
    expect(ended.error).toBeNull();
    expect(await lab.whereabouts(renamed)).toEqual([{ host: 'kvm2', state: 'shut off' }]);
    expect(await lab.whereabouts(name)).toEqual([]);
    expect(await lab.virsh('kvm2', 'domblklist', renamed)).toContain(there.path);
    expect(await file('kvm2', there.path)).toBe(await file('kvm1', here.path));
    expect(await lab.virsh('kvm1', 'pool-list', '--all', '--name')).toBe(pools);
  } finally {
    await lab.virsh('kvm2', 'undefine', renamed).catch(() => '');
  }
});

/** A disk that is named by its pool, which on the target has another folder. */
async function inPools(from: string, to: string): Promise<{ here: Disk; there: Disk }> {
  const folder = (host: string) => `/var/lib/${name}-${host}`;
  for (const host of [from, to]) {
    await sh(
      host,
      `mkdir -p ${folder(host)}; virsh -q pool-define-as ${name} dir --target ${folder(host)}; virsh -q pool-start ${name}`,
    );
    undos.push(() => sh(host, `virsh -q pool-destroy ${name}; virsh -q pool-undefine ${name}; rm -rf ${folder(host)}`));
  }
  const [here, there] = [from, to].map((host) => ({ path: `${folder(host)}/disk.qcow2`, format: 'qcow2' })) as [
    Disk,
    Disk,
  ];
  await sh(
    from,
    `qemu-img create -q -f qcow2 ${here.path} 48M; qemu-io -f qcow2 -c 'write -P 0x3c 3M 9M' ${here.path}`,
  );
  await sh(from, `virsh -q pool-refresh ${name}`);
  const disk = `<disk type="volume" device="disk"><driver name="qemu" type="qcow2" cache="none"/><source pool="${name}" volume="disk.qcow2"/><target dev="vda" bus="virtio"/></disk>`;
  await define(from, [], (xml) => xml.replace('<serial', `${disk}<serial`));
  return { here, there };
}

it('a disk that is a volume of a pool goes along into the pool of that name, cold', async () => {
  const { here, there } = await inPools('kvm1', 'kvm2');
  const ended = await migrate('kvm1', 'kvm2', { mode: 'cold' });
  expect(ended.error).toBeNull();
  expect(await lab.whereabouts(name)).toEqual([{ host: 'kvm2', state: 'shut off' }]);
  expect(await file('kvm2', there.path)).toBe(await file('kvm1', here.path));
  await lab.virsh('kvm2', 'start', name);
  await lab.waitForTick(name, 0);
});

it('a disk that is a volume of a pool goes along into the pool of that name while it runs', async () => {
  const { here, there } = await inPools('kvm1', 'kvm3');
  await lab.virsh('kvm1', 'start', name);
  await lab.waitForTick(name, 0);
  const alone = await preflight('kvm1', 'kvm3', { transport: 'direct' });
  expect(alone.checks.find(({ id }) => id === 'disk-vda')).toMatchObject({ level: 'error' });
  const ended = await migrate('kvm1', 'kvm3', { storage: 'copy', transport: 'direct' });
  expect(ended.error).toBeNull();
  expect(await lab.whereabouts(name)).toEqual([{ host: 'kvm3', state: 'running' }]);
  expect(await contents('kvm3', there, 4096)).toBe(await contents('kvm1', here, 4096));
});

it('volumes of one name in pools of one name are not taken for one that both hosts share', async () => {
  const { there } = await inPools('kvm1', 'kvm2');
  await sh('kvm2', `qemu-img create -q -f qcow2 ${there.path} 48M; virsh -q pool-refresh ${name}`);
  await lab.virsh('kvm1', 'start', name);
  const said = await preflight('kvm1', 'kvm2', { transport: 'direct' });
  expect(said.checks.find(({ id }) => id === 'disk-vda')).toMatchObject({
    level: 'error',
    message: expect.stringContaining('not shared') as string,
  });
});

it('cold: a disk that comes over the network stays where it is', async () => {
  const { address } = lab.host('kvm1');
  const disk = `<disk type="network" device="disk"><driver name="qemu" type="raw" cache="none"/><source protocol="nbd" name="one"><host name="${address}" port="10911"/></source><target dev="vda" bus="virtio"/></disk>`;
  await define('kvm1', [], (xml) => xml.replace('<serial', `${disk}<serial`));
  const ended = await migrate('kvm1', 'kvm2', { mode: 'cold' });
  expect(ended.error).toBeNull();
  expect(await lab.whereabouts(name)).toEqual([{ host: 'kvm2', state: 'shut off' }]);
  expect(await lab.virsh('kvm2', 'domblklist', name)).toContain('vda');
});

it('a TPM’s state is not left behind without a word', async () => {
  const tpm = '<tpm model="tpm-tis"><backend type="emulator" version="2.0"/></tpm>';
  await define('kvm1', [], (xml) => xml.replace('<serial', `${tpm}<serial`));
  for (const mode of ['cold', 'offline']) {
    const { checks, verdict } = await preflight('kvm1', 'kvm2', { mode });
    expect(verdict).toBe('blocked');
    expect(checks.find(({ id }) => id === 'tpm')?.message).toContain('keys would be left behind');
  }
  expect((await migrate('kvm1', 'kvm2', { mode: 'offline', force: true })).state).toBe('completed');
});

it('several disks are copied while the guest writes to them, and are the same afterwards', async () => {
  const [a, b] = await twoDisks('kvm1');
  await define('kvm1', [a, b]);
  await lab.virsh('kvm1', 'start', name);
  await lab.waitForTick(name, 0);
  const shell = drover.console(await until('it is seen', () => drover.domain(name, 'kvm1').catch(() => null)));
  await shell.note('open');
  const tell = (line: string) => shell.socket.send(Buffer.from(`${line}\n`));
  tell('');
  await shell.says(`${name}# `); // its ticks begin before its shell does
  const write =
    'for d in a b; do echo write $n | dd of=/dev/vd$d bs=4096 seek=$((8 + n % 8000)) conv=notrunc,sync,fsync 2>/dev/null; done';
  tell(`(n=0; while [ ! -e /stop ]; do n=$((n+1)); ${write}; done; echo "wrote=$n" ) &`);
  const { id } = await start('kvm1', 'kvm2', { storage: 'copy', bandwidthMiBps: 8, transport: 'direct' });
  await until('it goes over', async () => (await view(id)).progress.dataProcessedBytes > 8 * 2 ** 20);
  tell('touch /stop');
  await shell.says(/wrote=[1-9]/);
  await drover.get('PATCH', `/migrations/${id}`, { bandwidthMiBps: 10_000 });
  const ended = await drover.migrated(id);
  expect(ended.error).toBeNull();
  expect(await lab.whereabouts(name)).toEqual([{ host: 'kvm2', state: 'running' }]);
  // Its first sector gets a tick now and then, also after the move.
  expect(await contents('kvm2', a, 4096)).toBe(await contents('kvm1', a, 4096));
  expect(await contents('kvm2', b)).toBe(await contents('kvm1', b));
  expect(ended.virsh).toContain('--copy-storage-all --migrate-disks vda,vdb');
}, 60_000);

it('incremental: only what was written over a file that the target has, and not without that file', async () => {
  const { base, top } = await layered('kvm1');
  await lab.virsh('kvm1', 'start', name);
  await lab.waitForTick(name, 0);
  const options = { storage: 'copy-incremental', transport: 'direct' };
  const missing = await preflight('kvm1', 'kvm2', options);
  expect(missing.checks.find(({ id }) => id === 'disk-vda')).toMatchObject({ level: 'error' });
  expect(missing.checks.find(({ id }) => id === 'disk-vda')?.message).toContain(base);
  await sh('kvm1', `cp ${base} /srv/shared/${name}-base`);
  await sh('kvm2', `cp /srv/shared/${name}-base ${base}`);
  const ended = await migrate('kvm1', 'kvm2', options);
  expect(ended.error).toBeNull();
  expect(await lab.whereabouts(name)).toEqual([{ host: 'kvm2', state: 'running' }]);
  expect(await sh('kvm2', `qemu-img info -U ${top.path}`)).toContain(`backing file: ${base}`);
  expect(await contents('kvm2', top, 4096)).toBe(await contents('kvm1', top, 4096));
  // Of the base nothing was copied into it.
  expect(Number(await sh('kvm2', `stat -c %b ${top.path}`))).toBeLessThan((6 * 2 ** 20) / 512);
}, 60_000);

it('live: another name, another bridge and another place for its disk by edited XML, now and at its next start', async () => {
  const disk = { path: `${images}/${name}.qcow2`, format: 'qcow2' };
  await sh(
    'kvm1',
    `qemu-img create -q -f qcow2 ${disk.path} 32M; qemu-io -f qcow2 -c 'write -P 0x31 1M 2M' ${disk.path}`,
  );
  await define('kvm1', [disk]);
  await lab.virsh('kvm1', 'start', name);
  await lab.waitForTick(name, 0);
  await sh('kvm2', 'ip link show br1 >/dev/null 2>&1 || ip link add br1 type bridge');
  await sh('kvm2', `mkdir -p ${images}/other`);
  await lab.virsh('kvm2', 'pool-create-as other dir --target /var/lib/libvirt/images/other');
  const moved = `${images}/other/${name}.qcow2`;
  const xml = await lab.virsh('kvm1', 'dumpxml', '--migratable', name);
  const destXml = xml.replace(disk.path, moved).replaceAll("bridge='br0'", "bridge='br1'");
  const renamed = 'twins01-moved';
  try {
    const ended = await migrate('kvm1', 'kvm2', { storage: 'copy', destXml, destName: renamed, transport: 'direct' });
    expect(ended.error).toBeNull();
    expect(await lab.whereabouts(renamed)).toEqual([{ host: 'kvm2', state: 'running' }]);
    for (const which of [[], ['--inactive']]) {
      const there = await lab.virsh('kvm2', 'dumpxml', ...which, renamed);
      expect(there).toContain(moved);
      expect(there).toContain("bridge='br1'");
      expect(there).toContain(`<name>${renamed}</name>`);
    }
    expect(await contents('kvm2', { ...disk, path: moved }, 4096)).toBe(await contents('kvm1', disk, 4096));
  } finally {
    await lab.virsh('kvm2', 'destroy', renamed).catch(() => '');
    await lab.virsh('kvm2', 'undefine', renamed).catch(() => '');
    await lab.virsh('kvm2', 'pool-destroy', 'other');
    await sh('kvm2', 'ip link del br1');
  }
}, 60_000);

it('NVRAM goes along: with a running VM, with one that is shut off, and with a definition', async () => {
  const nvram = `/var/lib/libvirt/qemu/nvram/${name}.fd`;
  const firmware = '<loader readonly="yes" type="pflash">/usr/share/seabios/bios-256k.bin</loader>';
  for (const host of ['kvm1', 'kvm2', 'kvm3']) await sh(host, 'mkdir -p /var/lib/libvirt/qemu/nvram');
  await sh('kvm1', `head -c 65536 /dev/urandom > ${nvram}`);
  await define('kvm1', [], (xml) => xml.replace('<kernel>', `${firmware}<nvram>${nvram}</nvram><kernel>`));
  const first = await file('kvm1', nvram);
  try {
    // What libvirt would make it from is on no host.
    await lab.virsh('kvm1', 'start', name);
    await lab.waitForTick(name, 0);
    const live = await migrate('kvm1', 'kvm3', { transport: 'direct' });
    expect(live.error).toBeNull();
    expect(await lab.whereabouts(name)).toEqual([{ host: 'kvm3', state: 'running' }]);
    await lab.waitForTick(name);
    expect(await file('kvm3', nvram)).toBe(first);
    await lab.virsh('kvm3', 'destroy', name);
    // As its firmware might have: then what is on the first host is old.
    await sh('kvm3', `head -c 65536 /dev/urandom > ${nvram}`);
    const second = await file('kvm3', nvram);
    await until('it is seen shut off', async () => (await drover.domain(name, 'kvm3')).state === 'shutoff');
    expect((await migrate('kvm3', 'kvm1', { mode: 'cold' })).error).toBeNull();
    expect(await file('kvm1', nvram)).toBe(second);
    expect((await migrate('kvm1', 'kvm2', {})).error).toBeNull();
    expect(await file('kvm2', nvram)).toBe(second);
    await lab.virsh('kvm2', 'start', name);
    await lab.waitForTick(name, 0);
    for (const host of ['kvm1', 'kvm2', 'kvm3']) {
      expect(await lab.virsh(host, 'pool-list', '--all', '--name')).not.toContain('drover');
    }
  } finally {
    await lab.virsh('kvm2', 'undefine', '--nvram', name).catch(() => '');
    for (const host of ['kvm1', 'kvm2', 'kvm3']) await sh(host, `rm -f ${nvram}`);
  }
}, 60_000);
