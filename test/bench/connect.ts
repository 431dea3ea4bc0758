// From nothing to a host whose VMs are listed: Drover against `virsh list --all`, by turns, on a real host; then many.
import { Lab } from '../lab/lab.ts';
import type { HostView } from '../../contract/model.ts';
import { asked, bench, byTurns, cpuSeconds, median, ratio, timed } from './measure.ts';
import { startDrover } from './drover.ts';
import { SimProcess } from './sim-process.ts';
import { WindowLink } from './window-link.ts';
import { run } from '../lab/run.ts';
import { virshUri } from './virsh.ts';

const rounds = asked('rounds', 12);
const hosts = asked('hosts', 1_000);

await bench('connect', async (report) => {
  const lab = await Lab.open();
  await lab.reset();
  const { uri } = lab.host('kvm1');
  const theirs = virshUri(lab, 'kvm1');
  const drover = await startDrover();
  const window = await WindowLink.open(drover);
  try {
    const took = await byTurns(rounds, {
      // From the request that adds the host to the answer that lists its VMs.
      drover: async () => {
        let id = '';
        const ms = await timed(async () => {
          ({ id } = await drover.get<HostView>('POST', '/hosts', { uri }));
          await window.hostOnline(id);
          await drover.get('GET', `/hosts/${id}/domains`);
        });
        await drover.get('DELETE', `/hosts/${id}`);
        return ms;
      },
      virsh: () => timed(() => run(['virsh', '-c', theirs, 'list', '--all'])),
    });
    report.figure('Drover: add a host until its VMs are listed', median(took.drover), 'ms');
    report.figure('virsh list --all', median(took.virsh), 'ms');
    report.figure('Drover ÷ virsh', ratio(took.drover, took.virsh), '×', { most: 0.4 });
    report.note(`${rounds} pairs on kvm1`);
  } finally {
    window.close();
    await drover.remove();
  }
  if (hosts > 0) {
    const sim = await SimProcess.start({ hosts, each: 20 });
    const many = await startDrover();
    try {
      const all = await WindowLink.open(many);
      const before = cpuSeconds(sim.pid);
      const ms = await timed(async () => {
        await Promise.all(sim.uris.map((each) => all.add(each)));
        await all.allOnline(hosts, 300_000);
      });
      const simulator = cpuSeconds(sim.pid) - before;
      report.figure(`${hosts} simulated hosts with 20 VMs each: all online`, ms / 1_000, 's', { most: 30 });
      report.figure('  Drover’s CPU for it', cpuSeconds(many.pid), 's');
      report.figure('  the simulator’s CPU for it', simulator, 's');
      all.close();
    } finally {
      await many.remove();
      await sim.close();
    }
  }
});
