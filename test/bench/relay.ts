// The way through the admin's machine: what Drover carries from one host to another, against OpenSSH's
// `ssh a cat | ssh b cat` over connections that are there already, too, by turns; and how much memory that takes.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fleet } from '../../src-main/fleet/fleet.ts';
import { Questions } from '../../src-main/fleet/questions.ts';
import { openRelay, removeSockets } from '../../src-main/migration/ways/relay.ts';
import { KnownHosts, SecretCache } from '../../src-main/ssh/index.ts';
import { Lab } from '../lab/lab.ts';
import { run, until } from '../lab/run.ts';
import { asked, bench, byTurns, median, ratio, residentMB, timed } from './measure.ts';

const rounds = asked('rounds', 6);
const mib = asked('mib', 512);
const bytes = mib * 2 ** 20;

await bench('relay', async (report) => {
  const lab = await Lab.open();
  const folder = await mkdtemp(join(tmpdir(), 'drover-bench-'));
  const tell = () => {};
  const logins = { knownHosts: KnownHosts.beside(join(folder, 'known_hosts'), folder), secrets: new SecretCache() };
  const fleet = new Fleet({ logins, questions: new Questions(tell), tell, save: () => {} });
  const { keys, knownHosts } = lab.admin;
  const ssh = (name: string, ...words: string[]) => {
    const { user, address } = lab.host(name);
    const shared = ['ControlMaster=auto', `ControlPath=${folder}/%h`, 'ControlPersist=60', 'BatchMode=yes'];
    const options = [...shared, `UserKnownHostsFile=${knownHosts}`].flatMap((option) => ['-o', option]);
    return ['ssh', '-F', 'none', '-i', keys.ed25519, ...options, `${user}@${address}`, ...words];
  };
  try {
    for (const name of ['kvm1', 'kvm2']) {
      fleet.add(lab.host(name).uri, name);
      await run(ssh(name, 'true'));
    }
    const [source, target] = fleet.hosts;
    if (!source || !target) throw new Error('no hosts');
    await until('both are online', () => fleet.hosts.every(({ state }) => state === 'online'));

    let most = 0;
    let before = 0;
    const drover = async () => {
      const id = randomUUID();
      const relay = await openRelay(id, source, target);
      const path = (side: 'source' | 'target') => String(relay.params(false)[side][0]?.value).replace('unix://', '');
      const listens = lab.spawn('kvm2', ['sh', '-c', `nc -lU ${path('target')} | wc -c`]);
      let arrived = '';
      listens.stdout?.on('data', (chunk: Buffer) => (arrived += chunk.toString()));
      await until('it listens', () => lab.exec('kvm2', ['sh', '-c', `test -S ${path('target')} && echo yes || true`]));
      globalThis.gc?.();
      before = residentMB(process.pid);
      const watch = setInterval(() => (most = Math.max(most, residentMB(process.pid) - before)), 20);
      try {
        return await timed(async () => {
          const sends = lab.spawn('kvm1', ['sh', '-c', `head -c ${bytes} /dev/zero | nc -NU ${path('source')}`]);
          sends.stdin?.end();
          await once(listens, 'close');
          if (Number(arrived) !== bytes) throw new Error(`${arrived.trim()} bytes arrived instead of ${bytes}`);
        });
      } finally {
        clearInterval(watch);
        relay.close();
        await Promise.all([removeSockets(source, id), removeSockets(target, id)]);
      }
    };
    const openssh = () =>
      timed(async () => {
        const words = (line: string[]) => line.map((word) => `'${word}'`).join(' ');
        const line = `${words(ssh('kvm1', `head -c ${bytes} /dev/zero`))} | ${words(ssh('kvm2', 'cat > /dev/null'))}`;
        const piped = spawn('sh', ['-c', line], { stdio: 'ignore' });
        const [code] = (await once(piped, 'close')) as [number];
        if (code !== 0) throw new Error(`ssh a cat | ssh b cat ended with ${code}`);
      });
    const took = await byTurns(rounds, { drover, openssh });
    const rate = (ms: number[]) => (mib / median(ms)) * 1000;
    report.figure('Drover’s relay', rate(took.drover), 'MiB/s');
    report.figure('ssh a cat | ssh b cat', rate(took.openssh), 'MiB/s');
    report.figure('throughput, Drover ÷ OpenSSH', ratio(took.openssh, took.drover), '×', { least: 0.8 });
    report.figure('memory while it carries, above before', most, 'MB', { most: 64 });
    report.note(`${rounds} pairs of ${mib} MiB from kvm1 to kvm2, through adm; Drover’s rooms in this process`);
  } finally {
    for (const name of ['kvm1', 'kvm2'])
      await run([...ssh(name).slice(0, -1), '-O', 'exit', lab.host(name).address]).catch(() => '');
    await fleet.close();
    await rm(folder, { recursive: true, force: true });
  }
});
