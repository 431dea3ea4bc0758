// A live migration by Drover against `virsh migrate --live` with the same flags, driven from here and by the source's
// daemon: time, and how long the guest stands still, seen from outside by its ticks of 20 ms.
import { createReadStream, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { MigrationView, Transport } from '../../contract/model.ts';
import { Lab } from '../lab/lab.ts';
import { virshUri } from './virsh.ts';
import { run, until } from '../lab/run.ts';
import { asked, bench, median, pause, ratio, timed } from './measure.ts';
import { startDrover } from './drover.ts';

const pairs = asked('pairs', 20);
const guest = 'fast01';

/** When each tick was there, in ms. QEMU writes them to a file as they come. */
function stamps(file: string): { times: number[]; close: () => void } {
  const times: number[] = [];
  let at = statSync(file).size;
  let reading = false;
  const read = () => {
    if (reading) return;
    const { size } = statSync(file);
    if (size < at) at = 0;
    if (size === at) return;
    reading = true;
    const now = performance.now();
    createReadStream(file, { start: at, end: size - 1, encoding: 'latin1' })
      .on('data', (text) => {
        for (const _tick of String(text).matchAll(/tick/g)) times.push(now);
      })
      .on('close', () => {
        at = size;
        reading = false;
        read();
      });
  };
  const watcher = watch(file, read);
  return { times, close: () => watcher.close() };
}

await bench('migrate', async (report) => {
  const lab = await Lab.open();
  await lab.reset();
  await lab.ensureRunning(guest, 'kvm1');
  // Folders that only these hosts see, in the place of their roots': each root reaches the other's libvirt.
  for (const name of ['kvm1', 'kvm2']) {
    await lab.exec(name, ['mkdir', '-p', '/root/.ssh']);
    await lab.exec(name, ['mount', '-t', 'tmpfs', '-o', 'mode=0700', 'none', '/root/.ssh']);
    await lab.exec(name, ['install', '-m', '0600', lab.admin.keys.ed25519, '/root/.ssh/id_ed25519']);
    await lab.exec(name, ['install', '-m', '0644', lab.admin.knownHosts, '/root/.ssh/known_hosts']);
  }
  const drover = await startDrover();
  const ticks = stamps(join(lab.state.shared, 'console', `${guest}.log`));
  try {
    const hosts = await drover.addLab(lab);
    const uri = (name: string) => virshUri(lab, name);
    const drovers = (transport: Transport) => async (from: string, to: string) => {
      const { uuid } = await until('Drover has it there', () => drover.domain(guest, from).catch(() => null));
      return timed(async () => {
        const body = { uuid, from: hosts[from]!.id, to: hosts[to]!.id, options: { transport } };
        const { id } = await drover.get<MigrationView>('POST', '/migrations', body);
        const ended = await until(
          'the migration has ended',
          async () => {
            const migration = await drover.get<MigrationView>('GET', `/migrations/${id}`);
            return migration.endedAt !== null && migration;
          },
          120_000,
          10,
        );
        if (ended.state !== 'completed') throw new Error(`${ended.state}: ${ended.error?.message}`);
      });
    };
    const virshs = (flags: string[], there: (name: string) => string) => (from: string, to: string) => {
      const words = ['migrate', '--live', ...flags, '--persistent', '--undefinesource', guest, there(to)];
      return timed(() => run(['virsh', '-c', uri(from), ...words], { timeoutMs: 120_000 }));
    };
    // As the source's root reaches it, by the key that is put there.
    const peer = (name: string) => `qemu+ssh://root@${lab.host(name).address}/system?no_tty=1`;
    for (const transport of ['direct', 'p2p'] as const) {
      const virsh = transport === 'p2p' ? virshs(['--p2p'], peer) : virshs([], uri);
      await compare(transport, { drover: drovers(transport), virsh });
    }
    report.note(
      `${pairs} pairs each of ${guest} (128 MiB) between kvm1 and kvm2, as many each way; persistent, undefine source`,
    );
    report.note('virsh’s time holds its logins; Drover is connected already, as it is when an admin drags');
    report.note('p2p: both are told the same, and in both the source’s daemon logs in to the target’s');
  } finally {
    ticks.close();
    await drover.remove();
    for (const name of ['kvm1', 'kvm2']) await lab.exec(name, ['umount', '/root/.ssh']).catch(() => '');
  }

  type Way = (from: string, to: string) => Promise<number>;
  async function compare(transport: string, ways: { drover: Way; virsh: Way }): Promise<void> {
    const total: Record<keyof typeof ways, number[]> = { drover: [], virsh: [] };
    const still: Record<keyof typeof ways, number[]> = { drover: [], virsh: [] };
    // Each goes there and back in its turn, so both migrate either way as often.
    const one = async (way: keyof typeof ways, from: string, to: string, counts: boolean) => {
      const began = performance.now();
      const ms = await ways[way](from, to);
      await pause(300); // the ticks after it
      const mine = ticks.times.filter((time) => time >= began - 100);
      const gap = Math.max(...mine.slice(1).map((time, at) => time - (mine[at] as number)));
      if (!counts) return;
      total[way].push(ms);
      still[way].push(gap);
    };
    for (let pair = -2; pair < pairs; pair += 2) {
      const order = (pair / 2) % 2 === 0 ? (['drover', 'virsh'] as const) : (['virsh', 'drover'] as const);
      for (const way of order) {
        await one(way, 'kvm1', 'kvm2', pair >= 0);
        await one(way, 'kvm2', 'kvm1', pair >= 0);
      }
    }
    report.figure(`${transport}: Drover: total`, median(total.drover), 'ms');
    report.figure(`${transport}: virsh migrate --live: total`, median(total.virsh), 'ms');
    report.figure(`${transport}: total, Drover ÷ virsh`, ratio(total.drover, total.virsh), '×', { most: 1 });
    report.figure(`${transport}: Drover: longest gap between two ticks`, median(still.drover), 'ms');
    report.figure(`${transport}: virsh: longest gap between two ticks`, median(still.virsh), 'ms');
    report.figure(`${transport}: standstill, Drover ÷ virsh`, ratio(still.drover, still.virsh), '×', { most: 1.05 });
  }
});
