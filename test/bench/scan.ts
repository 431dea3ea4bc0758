// A /24 with four live hosts, swept by Drover and by nmap, by turns.
import { openDiscovery } from '../../src-main/discovery/index.ts';
import { Lab } from '../lab/lab.ts';
import { run } from '../lab/run.ts';
import { asked, bench, byTurns, median, ratio, timed } from './measure.ts';

const rounds = asked('rounds', 10);

async function sweep(cidr: string): Promise<number> {
  const discovery = await openDiscovery({
    store: { load: async () => undefined, save: async () => {} },
    fleet: () => [],
    addHost: () => Promise.reject(new Error('nothing is added here')),
  });
  try {
    return await new Promise<number>((resolve) => {
      discovery.scans.onChange((change) => {
        if ('removed' in change || change.state === 'running') return;
        resolve(discovery.scans.get(change.id).found.filter(({ kind }) => kind === 'ssh').length);
      });
      discovery.scans.start({ cidr });
    });
  } finally {
    await discovery.close();
  }
}

await bench('scan', async (report) => {
  const lab = await Lab.open();
  await lab.reset();
  const { subnet } = lab.state;
  const fourth = subnet.replace(/\.0\/24$/, '.200');
  await lab.exec('kvm1', ['ip', 'addr', 'replace', `${fourth}/24`, 'dev', 'eth0']);
  let found = Infinity;
  const nmap = (...args: string[]) => timed(() => run(['nmap', '-n', '-Pn', '-sT', '-p22', ...args, subnet]));
  const took = await byTurns(rounds, {
    drover: () => timed(async () => (found = Math.min(found, await sweep(subnet)))),
    t4: () => nmap('-T4'),
    t5: () => nmap('-T5'),
  });
  report.figure('Drover', median(took.drover), 'ms');
  report.figure('nmap -T4', median(took.t4), 'ms');
  report.figure('nmap -T5', median(took.t5), 'ms');
  report.figure('Drover ÷ nmap -T4', ratio(took.drover, took.t4), '×', { most: 0.5 });
  report.figure('Drover ÷ nmap -T5', ratio(took.drover, took.t5), '×', { most: 1 });
  report.figure('hosts found, in the worst round', found, 'of 4', { least: 4 });
  report.note(`${rounds} rounds over ${subnet}; Drover has then read every banner and host key too`);
});
