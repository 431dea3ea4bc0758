// A direct live migration by Drover against `virsh migrate --live` with the same flags: time, and how long the guest
// stands still, seen from outside by its ticks of 20 ms.
import { createReadStream, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { MigrationView } from '../../contract/model.ts';
import { Lab } from '../lab/lab.ts';
import { run, until } from '../lab/run.ts';
import { asked, bench, median, pause, ratio, timed } from './measure.ts';
import { startDrover } from './drover.ts';

const pairs = asked('pairs', 10);
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
  const drover = await startDrover();
  const ticks = stamps(join(lab.state.shared, 'console', `${guest}.log`));
  try {
    const hosts = await drover.addLab(lab);
    const uri = (name: string) => lab.host(name).uri;
    const ways = {
      drover: async (from: string, to: string) => {
        const { uuid } = await until('Drover has it there', () => drover.domain(guest, from).catch(() => null));
        return timed(async () => {
          const body = { uuid, from: hosts[from]!.id, to: hosts[to]!.id };
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
      },
      virsh: (from: string, to: string) =>
        timed(() =>
          run(['virsh', '-c', uri(from), 'migrate', '--live', '--persistent', '--undefinesource', guest, uri(to)], {
            timeoutMs: 120_000,
          }),
        ),
    };
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
    report.figure('Drover: total', median(total.drover), 'ms');
    report.figure('virsh migrate --live: total', median(total.virsh), 'ms');
    report.figure('total, Drover ÷ virsh', ratio(total.drover, total.virsh), '×', { most: 1 });
    report.figure('Drover: longest gap between two ticks', median(still.drover), 'ms');
    report.figure('virsh: longest gap between two ticks', median(still.virsh), 'ms');
    report.figure('standstill, Drover ÷ virsh', ratio(still.drover, still.virsh), '×', { most: 1.05 });
    report.note(
      `${total.drover.length} pairs of ${guest} (128 MiB) between kvm1 and kvm2, as many each way; persistent, undefine source`,
    );
    report.note('virsh’s time holds its two logins; Drover is connected already, as it is when an admin drags');
  } finally {
    ticks.close();
    await drover.remove();
  }
});
