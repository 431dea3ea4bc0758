// 1,000 hosts with 20 VMs each: what Drover's main process costs at rest and under change, and how that grows.
import { asked, bench, corePercent, cpuSeconds, pause, quantile, residentMB, timed } from './measure.ts';
import { startDrover } from './drover.ts';
import { type Change, SimProcess } from './sim-process.ts';
import { type Seen, WindowLink } from './window-link.ts';

const each = asked('each', 20);
const largest = asked('hosts', 1_000);
const perSecond = asked('changes', 500);
const seconds = asked('seconds', 20);
const sizes = [largest / 10, (largest * 3) / 10, largest].map(Math.round);
const onlineMs = 300_000;

interface Cost {
  onlineMs: number;
  simPercent: number;
  connectCpuSeconds: number;
  alonePercent: number;
  aloneMB: number;
  watchedPercent: number;
  watchedMB: number;
}

await bench('fleet', async (report) => {
  const costs: Cost[] = [];
  for (const hosts of sizes) {
    const isLast = hosts === largest;
    const sim = await SimProcess.start({ hosts, each });
    const drover = await startDrover();
    try {
      let window = await WindowLink.open(drover);
      const simBefore = cpuSeconds(sim.pid);
      const passedMs = await timed(async () => {
        await Promise.all(sim.uris.map((uri) => window.add(uri)));
        await window.allOnline(hosts, onlineMs);
      });
      const simPercent = ((cpuSeconds(sim.pid) - simBefore) / passedMs) * 100_000;
      const connectCpuSeconds = cpuSeconds(drover.pid);
      window.close();
      await pause(20_000); // past the samples that follow a connect
      const alonePercent = await corePercent(drover.pid, seconds * 1_000);
      const aloneMB = residentMB(drover.pid);
      window = await WindowLink.open(drover);
      await pause(3_000);
      const watchedPercent = await corePercent(drover.pid, seconds * 1_000);
      costs.push({
        onlineMs: passedMs,
        simPercent,
        connectCpuSeconds,
        alonePercent,
        aloneMB,
        watchedPercent,
        watchedMB: residentMB(drover.pid),
      });
      report.note(
        `${hosts} hosts: online in ${(passedMs / 1_000).toFixed(1)} s with ${connectCpuSeconds.toFixed(1)} s of CPU, ` +
          `idle ${alonePercent.toFixed(1)} % (no window) and ${watchedPercent.toFixed(1)} % (window), ${Math.round(residentMB(drover.pid))} MB`,
      );
      if (isLast) {
        report.figure(`${hosts} hosts online`, passedMs / 1_000, 's', { most: 30 });
        report.figure('  the simulator’s CPU meanwhile', simPercent, '% core');
        report.figure('  Drover’s CPU for it', connectCpuSeconds, 's');
        report.figure('idle, no window: main process', alonePercent, '% core', { most: 10 });
        report.figure('idle, no window: resident', aloneMB, 'MB', { most: 400 });
        report.figure('idle, a window open: main process', watchedPercent, '% core', { most: 10 });
        report.figure('idle, a window open: resident', residentMB(drover.pid), 'MB', { most: 400 });
        window.seen.length = 0;
        const cpu = { drover: cpuSeconds(drover.pid), sim: cpuSeconds(sim.pid) };
        const changes = await sim.change(perSecond, seconds * 1_000);
        const share = (pid: number, before: number) => ((cpuSeconds(pid) - before) / seconds) * 100;
        report.figure(`${perSecond} changes a second: main process`, share(drover.pid, cpu.drover), '% core');
        report.figure(`${perSecond} changes a second: simulator`, share(sim.pid, cpu.sim), '% core');
        report.figure(`${perSecond} changes a second: resident`, residentMB(drover.pid), 'MB', { most: 400 });
        await pause(1_000);
        const took = delays(changes, window.seen);
        report.figure('event on the wire → window has it, p50', quantile(took, 0.5), 'ms');
        report.figure('event on the wire → window has it, p99', quantile(took, 0.99), 'ms', { most: 100 });
        report.figure('  of the changes seen', (took.length / changes.length) * 100, '%', { least: 100 });
      }
      window.close();
      if (drover.log.length > 0) report.note(`Drover said: ${drover.log.slice(0, 3).join(' · ')}`);
    } finally {
      await drover.remove();
      await sim.close();
    }
  }
  const [small, middle, large] = costs as [Cost, Cost, Cost];
  const grown = (of: (cost: Cost) => number) => (of(large) / of(middle)) * (sizes[1]! / sizes[2]!);
  report.figure(
    `idle CPU a host, ${sizes[2]} ÷ ${sizes[1]} hosts`,
    grown((cost) => cost.watchedPercent),
    '×',
    { most: 1.25 },
  );
  report.figure(
    `CPU to connect a host, ${sizes[2]} ÷ ${sizes[1]} hosts`,
    grown((cost) => cost.connectCpuSeconds),
    '×',
    { most: 1.25 },
  );
  report.figure(
    `memory a host more, ${sizes[0]} → ${sizes[2]} hosts`,
    ((large.watchedMB - small.watchedMB) * 1_000) / (sizes[2]! - sizes[0]!),
    'kB',
  );
});

/** Of each change, the milliseconds until the window had a view with that state. */
function delays(changes: readonly Change[], seen: readonly Seen[]): number[] {
  const views = new Map<string, Seen[]>();
  for (const view of seen) views.set(view.uuid, [...(views.get(view.uuid) ?? []), view]);
  return changes.flatMap(({ uuid, state, atMs }) => {
    const view = views.get(uuid)?.find((one) => one.state === state && one.atMs >= atMs);
    return view ? [view.atMs - atMs] : [];
  });
}
