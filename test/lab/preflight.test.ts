// Real hosts: what the preflight says, against what libvirt's own client then does; the VM stays unharmed each time.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Check, HostView, MigrationView, Preflight, Remedied } from '../../contract/model.ts';
import { domainXml, guestNamed } from './guests.ts';
import { Lab } from './lab.ts';
import { RunError, until } from './run.ts';
import { Served } from './served.ts';

const lab = await Lab.open();
let drover: Served;
let hosts: Record<string, HostView>;
const undos: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  await lab.reset();
  drover = await Served.start();
  hosts = await drover.addLab(lab);
});
afterEach(async () => {
  for (const undo of undos.splice(0).reverse()) await undo();
});
afterAll(async () => {
  await drover.remove();
  await lab.reset();
});

const idOf = (name: string) => hosts[name]?.id ?? '';
const uri = (name: string) => lab.host(name).uri;
const onHost = (name: string, script: string) => lab.exec(name, ['sh', '-c', script]);

/** A guest of the test's own on kvm1: `edit` changes its XML before it is started. */
async function guest(name: string, edit: (xml: string) => string = (xml) => xml): Promise<string> {
  const like = {
    ...guestNamed('mail01'),
    name,
    uuid: `6a5e0000-1ab0-4000-8000-0000000${String(name.length)}${hash(name)}`,
  };
  undos.push(async () => {
    for (const host of ['kvm1', 'kvm2']) {
      await onHost(
        host,
        `virsh -q destroy ${name} 2>/dev/null; virsh -q undefine ${name} --snapshots-metadata 2>/dev/null; true`,
      );
    }
  });
  await lab.define('kvm1', edit(domainXml({ ...like, home: 'kvm1' })));
  await lab.virsh('kvm1', 'start', name);
  return name;
}
const hash = (text: string) =>
  String([...text].reduce((sum, sign) => (sum * 31 + sign.charCodeAt(0)) % 9_999, 7)).padStart(4, '0');

/** Unless said otherwise driven by Drover: then nobody tries what the daemons could do. */
async function route(name: string, options: object = {}) {
  const { uuid } = await until(`${name} is seen running`, async () => {
    const domain = await drover.domain(name, 'kvm1').catch(() => null);
    return domain?.state === 'running' && domain;
  });
  return { uuid, from: idOf('kvm1'), to: idOf('kvm2'), options: { transport: 'direct', ...options } };
}
async function preflight(name: string, options: object = {}): Promise<Preflight> {
  return drover.get('POST', '/migrations/preflight', await route(name, options));
}
const errors = ({ checks }: Preflight) => checks.filter(({ level }) => level === 'error');

/** What virsh says where it fails; empty where it does not. */
async function byVirsh(name: string, ...options: string[]): Promise<string> {
  const argv = [
    'timeout',
    '40',
    'virsh',
    '-q',
    '-c',
    uri('kvm1'),
    'migrate',
    '--live',
    '--persistent',
    ...options,
    name,
    uri('kvm2'),
  ];
  const to = `tcp://${lab.host('kvm2').address}`;
  try {
    await lab.exec('adm', [...argv, ...(options.includes('--migrateuri') ? [] : [to])]);
    return '';
  } catch (error) {
    return error instanceof RunError ? error.stderr : String(error);
  }
}

async function unharmed(name: string): Promise<void> {
  expect(await lab.whereabouts(name)).toEqual([{ host: 'kvm1', state: 'running' }]);
  // One of the test's own need not have booted yet.
  if (!name.startsWith('pf-')) await lab.waitForTick(name);
  const used = async () =>
    Number(/cpu\.time=(\d+)/.exec(await lab.virsh('kvm1', 'domstats', '--cpu-total', name))?.[1]);
  const before = await used();
  await until(`${name} goes on`, async () => (await used()) > before);
}

/** Drover says no and why, by this check alone; virsh fails likewise; nothing happened to the VM. */
async function bothRefuse(
  name: string,
  id: string,
  sentence: RegExp,
  virsh: RegExp,
  options: object = {},
  flags: string[] = [],
) {
  const said = await preflight(name, options);
  expect(errors(said).map((check) => check.id)).toEqual([id]);
  expect(errors(said)[0]?.message).toMatch(sentence);
  expect(said.verdict).toBe('blocked');
  const { err } = await drover.ask('POST', '/migrations', await route(name, options));
  expect(err).toMatchObject({ code: 'refused' });
  expect(err?.message).toMatch(sentence);
  expect(await byVirsh(name, ...flags)).toMatch(virsh);
  await unharmed(name);
  return errors(said)[0] as Check;
}

const remedied = async (name: string, remedy: string, options: object = {}): Promise<Remedied> =>
  drover.get('POST', '/migrations/preflight/remedy', { ...(await route(name, options)), remedy });

const network = (name: string) => (xml: string) =>
  xml.replace(
    '<serial',
    `<interface type="network"><source network="${name}"/><model type="virtio"/><rom enabled="no"/></interface><serial`,
  );
const bridge = (name: string) => (xml: string) =>
  xml.replace(
    '<serial',
    `<interface type="bridge"><source bridge="${name}"/><model type="virtio"/><rom enabled="no"/></interface><serial`,
  );

async function defineNetwork(host: string, name: string, device: string): Promise<void> {
  await onHost(host, `ip link add ${device} type bridge 2>/dev/null; ip link set ${device} up`);
  const xml = `<network><name>${name}</name><forward mode="bridge"/><bridge name="${device}"/></network>`;
  undos.push(() =>
    onHost(host, `virsh -q net-destroy ${name}; virsh -q net-undefine ${name}; ip link del ${device}; true`),
  );
  await lab.exec(host, ['sh', '-c', 'cat > /tmp/net.xml && virsh -q net-define /tmp/net.xml'], { input: xml });
}

describe('a healthy move', () => {
  it('has no warning, and goes', async () => {
    await guest('pf-well');
    const said = await preflight('pf-well', { transport: 'auto' });
    expect(said.checks.filter(({ level }) => level !== 'ok')).toEqual([]);
    expect(said.checks.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['cpu', 'versions', 'memory', 'kernel', 'initrd', 'transport', 'path', 'name-resolves']),
    );
    expect(await byVirsh('pf-well')).toBe('');
  });
});

describe('processor', () => {
  it('a feature that the target lacks is named by both', async () => {
    // QEMU on kvm2 from here on has no cx16, whoever asks it.
    const qemu = '/usr/bin/qemu-system-x86_64';
    const less = `exec /run/less/usr/bin/qemu-system-x86_64 "$@" -global x86_64-cpu.cx16=off`;
    const restart = async () => {
      await onHost('kvm2', 'rm -f /var/cache/libvirt/qemu/capabilities/*');
      await lab.kill('kvm2', 'libvirtd');
      await lab.start('kvm2', 'libvirtd');
      await until(
        'kvm2 is back',
        async () => (await drover.get<HostView>('GET', `/hosts/${idOf('kvm2')}`)).state === 'online',
      );
    };
    await onHost(
      'kvm2',
      `set -e; mkdir -p /run/less; mount -t tmpfs none /run/less; mkdir /run/less/usr; mount --bind /usr /run/less/usr
       printf '#!/bin/sh\\n%s\\n' '${less}' > /run/less/wrap; chmod +x /run/less/wrap; mount --bind /run/less/wrap ${qemu}`,
    );
    undos.push(async () => {
      await onHost('kvm2', `umount ${qemu}; umount /run/less/usr; umount /run/less`);
      await restart();
    });
    await restart();
    await guest('pf-cpu', (xml) =>
      xml.replace('<devices>', '<cpu mode="custom" match="exact"><model>Opteron_G2</model></cpu><devices>'),
    );
    const check = await bothRefuse('pf-cpu', 'cpu', /Opteron_G2.*cx16/, /missing features: .*cx16/);
    expect(check.fix).toMatch(/Give it a processor/);
  }, 60_000);
});

describe('networks and bridges', () => {
  it('a network that is not active is started from there, and then it goes', async () => {
    await defineNetwork('kvm1', 'lan', 'lan0');
    await defineNetwork('kvm2', 'lan', 'lan0');
    await lab.virsh('kvm1', 'net-start', 'lan');
    await guest('pf-net', network('lan'));
    const check = await bothRefuse(
      'pf-net',
      'network-lan',
      /network lan.*not active on kvm2/,
      /network 'lan' is not active/,
    );
    expect(check.remedies).toMatchObject([{ id: 'start-network-lan', preview: { kind: 'command' } }]);
    const after = await remedied('pf-net', 'start-network-lan');
    expect(after.preflight.verdict).toBe('ok');
    expect(await lab.virsh('kvm2', 'net-list', '--name')).toBe('lan');
    const again = await drover.ask('POST', '/migrations/preflight/remedy', {
      ...(await route('pf-net')),
      remedy: 'start-network-lan',
    });
    expect(again.err).toMatchObject({ code: 'conflict' });
    expect(await byVirsh('pf-net')).toBe('');
  });

  it('a network that is not there', async () => {
    await defineNetwork('kvm1', 'only1', 'only0');
    await lab.virsh('kvm1', 'net-start', 'only1');
    await guest('pf-nonet', network('only1'));
    await bothRefuse('pf-nonet', 'network-only1', /kvm2 has no network only1/, /no network with matching name 'only1'/);
  });

  it('a bridge that is not there, and another one instead by edited XML', async () => {
    await onHost('kvm1', 'ip link add brx type bridge; ip link set brx up');
    undos.push(() => onHost('kvm1', 'ip link del brx'));
    await guest('pf-bridge', bridge('brx'));
    const check = await bothRefuse('pf-bridge', 'bridge-brx', /kvm2 has no bridge brx/, /brx.*No such device/);
    const other = check.remedies?.find(({ id }) => id === 'bridge-brx-br0');
    expect(other?.preview.kind).toBe('xml-diff');
    expect(other?.preview.text).toMatch(/^-\s+<source bridge='brx'.*\n\+\s+<source bridge='br0'/m);
    const { options, preflight: after } = await remedied('pf-bridge', 'bridge-brx-br0');
    expect(errors(after)).toEqual([]);
    const { id } = await drover.get<MigrationView>('POST', '/migrations', await route('pf-bridge', options));
    expect(await drover.migrated(id)).toMatchObject({ state: 'completed', error: null });
    expect(await lab.virsh('kvm2', 'domiflist', 'pf-bridge')).toMatch(/bridge\s+br0/);
  });
});

describe('disks', () => {
  const iso = '/var/lib/libvirt/images/pf.iso';
  const folder = '/var/lib/libvirt/pf';
  const withDisk =
    (path: string, cache = 'none', format = 'qcow2') =>
    (xml: string) =>
      xml.replace(
        '<serial',
        `<disk type="file" device="disk"><driver name="qemu" type="${format}" cache="${cache}"/><source file="${path}"/><target dev="vda" bus="virtio"/></disk><serial`,
      );

  it('a medium that only the source has is ejected from there', async () => {
    await onHost('kvm1', `truncate -s 1M ${iso}`);
    undos.push(() => onHost('kvm1', `rm -f ${iso}`));
    await guest('pf-iso', (xml) =>
      xml.replace(
        '<serial',
        `<disk type="file" device="cdrom"><source file="${iso}"/><target dev="hdc" bus="ide"/><readonly/></disk><serial`,
      ),
    );
    const check = await bothRefuse('pf-iso', 'disk-hdc', /medium in hdc.*not there on kvm2/, /pf\.iso/);
    expect(check.remedies?.[0]?.preview.text).toMatch(new RegExp(`^-\\s+<source file='${iso}'`, 'm'));
    const after = await remedied('pf-iso', 'eject-hdc');
    expect(after.preflight.verdict).toBe('ok');
    for (const flags of [[], ['--inactive']])
      expect(await lab.virsh('kvm1', 'dumpxml', ...flags, 'pf-iso')).not.toContain(iso);
    await unharmed('pf-iso');
    expect(await byVirsh('pf-iso')).toBe('');
  });

  it('a volume that only the source has is copied along by another option', async () => {
    await lab.ensureRunning('files01', 'kvm1');
    const check = await bothRefuse(
      'files01',
      'disk-vda',
      /disk vda.*not there on kvm2/,
      /files01\.qcow2|shared storage/,
    );
    expect(check.remedies?.map(({ id }) => id)).toEqual(['copy-disks']);
    const { options, preflight: after } = await remedied('files01', 'copy-disks');
    expect(options).toEqual({ transport: 'direct', storage: 'copy' });
    expect(after.verdict).toBe('ok');
    await unharmed('files01');
  });

  it('no pool for the copy; one that is not active is started from there', async () => {
    await onHost('kvm1', `mkdir -p ${folder} && qemu-img create -q -f qcow2 ${folder}/d.qcow2 16M`);
    undos.push(() => onHost('kvm1', `rm -rf ${folder}`));
    await guest('pf-pool', withDisk(`${folder}/d.qcow2`));
    const copy = { storage: 'copy' };
    const flags = ['--copy-storage-all', '--migrate-disks', 'vda'];
    await bothRefuse('pf-pool', 'disk-vda', /kvm2 has no active storage pool at .*\/pf/, /pool|pf/, copy, flags);
    await onHost('kvm2', `mkdir -p ${folder}; virsh -q pool-define-as pf dir --target ${folder}`);
    undos.push(() => onHost('kvm2', `virsh -q pool-destroy pf; virsh -q pool-undefine pf; rm -rf ${folder}`));
    const [check] = errors(await preflight('pf-pool', copy));
    expect(check?.remedies?.map(({ id }) => id)).toEqual(['start-pool-pf']);
    const { preflight: after } = await remedied('pf-pool', 'start-pool-pf', copy);
    expect(after.verdict).toBe('ok');
    const { id } = await drover.get<MigrationView>('POST', '/migrations', await route('pf-pool', copy));
    expect(await drover.migrated(id)).toMatchObject({ state: 'completed', error: null });
  });

  it('no room for the copy', async () => {
    await onHost('kvm1', `mkdir -p ${folder} && qemu-img create -q -f qcow2 ${folder}/full.qcow2 32M`);
    await onHost('kvm1', `qemu-io -f qcow2 -c 'write -P 1 0 16M' ${folder}/full.qcow2`);
    undos.push(() => onHost('kvm1', `rm -rf ${folder}`));
    await onHost(
      'kvm2',
      `mkdir -p ${folder}; mount -t tmpfs -o size=4m none ${folder}; virsh -q pool-define-as pf dir --target ${folder}; virsh -q pool-start pf`,
    );
    undos.push(() =>
      onHost('kvm2', `virsh -q pool-destroy pf; virsh -q pool-undefine pf; umount ${folder}; rm -rf ${folder}`),
    );
    await guest('pf-full', withDisk(`${folder}/full.qcow2`));
    const sentence = /disk vda.*takes 1\d MiB, and the pool pf on kvm2 has [34] MiB free/;
    await bothRefuse(
      'pf-full',
      'disk-vda',
      sentence,
      /No space left|mirror|storage migration|migration/i,
      { storage: 'copy' },
      ['--copy-storage-all', '--migrate-disks', 'vda'],
    );
  });

  it('a file that both hosts have, on a file system that libvirt does not take for shared', async () => {
    const path = '/var/tmp/drover-preflight-both.qcow2';
    await onHost('kvm1', `qemu-img create -q -f qcow2 ${path} 16M`);
    undos.push(() => onHost('kvm1', `rm -f ${path}`));
    await guest('pf-both', withDisk(path, 'none'));
    await bothRefuse('pf-both', 'begin', /libvirt on kvm1 refuses .*without shared storage/, /without shared storage/);
    expect((await preflight('pf-both', { unsafe: true })).verdict).toBe('ok');
  });

  it('a cache that libvirt does not take for safe', async () => {
    // Known to both hosts as one and the same file, on what is no network file system.
    const path = '/var/tmp/drover-preflight.qcow2';
    await onHost('kvm1', `qemu-img create -q -f qcow2 ${path} 16M`);
    undos.push(() => onHost('kvm1', `rm -f ${path}`));
    await guest('pf-cache', withDisk(path, 'writeback'));
    await bothRefuse('pf-cache', 'disk-vda', /disk vda.*cached by the host/, /Unsafe migration/);
  });
});

describe('what libvirt itself says of it', () => {
  it('XML for the target that makes another machine of it', async () => {
    const xml = await lab.virsh('kvm1', 'dumpxml', '--migratable', '--security-info', 'web01');
    const destXml = xml.replace(/<memory unit='KiB'>\d+/, "<memory unit='KiB'>999424");
    const file = '/tmp/drover-dest.xml';
    await lab.exec('adm', ['sh', '-c', `cat > ${file}`], { input: destXml });
    undos.push(() => lab.exec('adm', ['rm', '-f', file]));
    const sentence = /max memory 999424 does not match/;
    await bothRefuse('web01', 'begin', sentence, sentence, { destXml }, ['--xml', file]);
  });
});

describe('where it has to listen over there', () => {
  const vnc = (attributes: string) => (xml: string) =>
    xml.replace('</devices>', `<graphics type="vnc" ${attributes}/></devices>`);

  it('a screen on an address that is the source’s own', async () => {
    await guest('pf-screen', vnc(`autoport="yes" listen="${lab.host('kvm1').address}"`));
    await bothRefuse('pf-screen', 'listens-vnc', /no address of kvm2/, /Cannot assign requested address/);
  });

  it('a screen on an IPv6 address, however it is written', async () => {
    const add = async (host: string) => {
      const [device] = (await onHost(host, "ip -o -4 addr show scope global | awk '{print $2}'")).trim().split('\n');
      await onHost(host, `ip -6 addr add fd00:d::11/64 dev ${device} nodad`);
      undos.push(() => onHost(host, `ip -6 addr del fd00:d::11/64 dev ${device}`));
    };
    await add('kvm1');
    await guest('pf-ipv6', vnc('autoport="yes" listen="FD00:000D:0:0::11"'));
    await bothRefuse('pf-ipv6', 'listens-vnc', /no address of kvm2/, /Cannot assign requested address/);
    await add('kvm2');
    expect(errors(await preflight('pf-ipv6'))).toEqual([]);
    expect(await byVirsh('pf-ipv6')).toBe('');
  });

  it('a screen on a port that is taken there', async () => {
    await guest('pf-port', vnc('port="5997" autoport="no"'));
    const other = lab.spawn('kvm2', ['nc', '-lk', '127.0.0.1', '5997']);
    undos.push(async () => void other.kill());
    await until('it listens', () => onHost('kvm2', 'grep -q ":176D " /proc/net/tcp && echo yes || true'));
    await bothRefuse('pf-port', 'listens-vnc', /port 5997.*kvm2/, /Address already in use/);
  });

  it('the memory, on an address that is not the target’s, or on a port that is taken', async () => {
    const nobodys = { listenAddress: '10.9.9.9' };
    await bothRefuse('web01', 'listen-address', /no address of kvm2/, /Cannot assign/, nobodys, [
      '--listen-address',
      '10.9.9.9',
    ]);
    const migrateUri = `tcp://${lab.host('kvm2').address}:22`;
    await bothRefuse('web01', 'listen-address', /port 22,/, /Address already in use/, { migrateUri }, [
      '--migrateuri',
      migrateUri,
    ]);
  });
});

describe('what holds it where it is', () => {
  it('snapshots', async () => {
    await lab.ensureRunning('db01', 'kvm1');
    await lab.virsh('kvm1', 'snapshot-create-as', 'db01', 'before');
    undos.push(() => lab.virsh('kvm1', 'snapshot-delete', 'db01', 'before'));
    await bothRefuse('db01', 'snapshots', /a snapshot on kvm1/, /cannot migrate domain with 1 snapshots/);
  });

  it('its name is another VM’s: it gets another one', async () => {
    const xml = domainXml({ ...guestNamed('mail01'), name: 'web01', uuid: '6a5e0000-1ab0-4000-8000-00000000fffe' });
    await lab.define('kvm2', xml);
    undos.push(() => lab.virsh('kvm2', 'undefine', 'web01'));
    await until('both are seen', async () => (await drover.get<unknown[]>('GET', '/domains?q=web01')).length === 2);
    const said = await preflight('web01');
    expect(errors(said).map(({ id }) => id)).toEqual(['name-taken']);
    expect(await byVirsh('web01')).toMatch(/already exists with uuid/);
    const { options, preflight: after } = await remedied('web01', 'name-web01-2');
    expect(options).toEqual({ transport: 'direct', destName: 'web01-2' });
    expect(after.verdict).toBe('ok');
    expect(await lab.virsh('kvm1', 'domstate', 'web01')).toBe('running');
  });
});

describe('the way', () => {
  it('a VM whose migration was refused by the target’s QEMU is not taken for one that runs there', async () => {
    expect(await byVirsh('web01', '--tls')).toMatch(/ca-cert.pem/);
    expect((await preflight('web01')).verdict).toBe('ok');
  });

  it('no route at all, and an address that libvirt has no way to', async () => {
    const to = `${lab.host('kvm2').address}/32`;
    await onHost('kvm1', `ip route add blackhole ${to}`);
    undos.push(() => onHost('kvm1', `ip route del blackhole ${to}`));
    await bothRefuse('web01', 'path', /kvm1 has no way to/, /unable to connect/);
    await undos.pop()?.();
    const migrateUri = 'udp://10.0.0.1';
    await bothRefuse('web01', 'path', /knows tcp, rdma and unix/, /unsupported scheme/, { migrateUri }, [
      '--migrateuri',
      migrateUri,
    ]);
  });

  it('a port that is filtered: silence', async () => {
    const rule = `-p tcp -s ${lab.host('kvm1').address} --dport 49152:49215 -j DROP`;
    await onHost('kvm2', `iptables -I INPUT ${rule}`);
    undos.push(() => onHost('kvm2', `iptables -D INPUT ${rule}`));
    const said = await preflight('web01', { transport: 'direct' });
    expect(errors(said)).toMatchObject([
      { id: 'path', message: expect.stringMatching(/gets no answer from .*49152.*firewall/) as string },
    ]);
    const { checks } = await preflight('web01', { transport: 'auto' });
    expect(checks.find(({ id }) => id === 'transport')?.message).toMatch(/relay.*no answer/);
    await unharmed('web01');
  });

  it('a name that the source does not resolve', async () => {
    const options = { migrateUri: 'tcp://no-such-host.invalid' };
    const said = await preflight('web01', options);
    expect(errors(said)).toMatchObject([{ id: 'path', message: 'kvm1 cannot resolve the name no-such-host.invalid.' }]);
    expect(await byVirsh('web01', '--migrateuri', 'tcp://no-such-host.invalid')).toMatch(
      /address|resolve|Name or service/i,
    );
    // What the target calls itself need not be known: its address is.
    await onHost(
      'kvm1',
      'cp /etc/hosts /tmp/hosts && grep -v kvm2 /etc/hosts > /tmp/fewer && mount --bind /tmp/fewer /etc/hosts',
    );
    undos.push(() => onHost('kvm1', 'umount /etc/hosts'));
    const well = await preflight('web01');
    expect(well.verdict).toBe('ok');
    expect(well.checks.find(({ id }) => id === 'name-resolves')?.message).toMatch(/does not resolve the name kvm2/);
    await unharmed('web01');
  });

  it('no login of the source’s root, where p2p is asked for', async () => {
    const said = await preflight('web01', { transport: 'p2p' });
    expect(errors(said)).toMatchObject([
      { id: 'p2p', message: expect.stringMatching(/root of kvm1 does not reach libvirt on kvm2/) as string },
    ]);
    const argv = [
      'virsh',
      '-q',
      '-c',
      uri('kvm1'),
      'migrate',
      '--live',
      '--p2p',
      'web01',
      `qemu+ssh://root@${lab.host('kvm2').address}/system`,
    ];
    await expect(lab.exec('adm', argv)).rejects.toThrow(/verification failed|Permission denied/);
    await unharmed('web01');
  });

  it('the target’s daemon is down, and then back', async () => {
    const body = await route('web01');
    await lab.kill('kvm2', 'libvirtd');
    undos.push(() => lab.start('kvm2', 'libvirtd'));
    await until(
      'kvm2 is lost',
      async () => (await drover.get<HostView>('GET', `/hosts/${idOf('kvm2')}`)).state !== 'online',
    );
    const { err } = await drover.ask('POST', '/migrations', body);
    expect(err).toMatchObject({ code: 'refused' });
    expect(err?.message).toMatch(/kvm2 is not connected/);
    await undos.pop()?.();
    await unharmed('web01');
    await until(
      'kvm2 is back',
      async () => (await drover.get<HostView>('GET', `/hosts/${idOf('kvm2')}`)).state === 'online',
    );
  });
});

describe('cancelled', () => {
  it('at once', async () => {
    const { id } = await drover.get<MigrationView>('POST', '/migrations', await route('web01', { bandwidthMiBps: 1 }));
    await drover.get('POST', `/migrations/${id}/cancel`);
    expect((await drover.migrated(id)).state).toBe('cancelled');
    await unharmed('web01');
  });

  it('late, while the memory is nearly over', async () => {
    const { id } = await drover.get<MigrationView>('POST', '/migrations', await route('web01', { bandwidthMiBps: 8 }));
    await until('half of it is over', async () => {
      const { progress } = await drover.get<MigrationView>('GET', `/migrations/${id}`);
      return progress.dataTotalBytes > 0 && progress.dataRemainingBytes < progress.dataTotalBytes / 2;
    });
    await drover.get('POST', `/migrations/${id}/cancel`);
    expect((await drover.migrated(id)).state).toBe('cancelled');
    await unharmed('web01');
  });
});

it('complained of nothing meanwhile', async () => {
  expect(drover.log).toEqual([]);
});
