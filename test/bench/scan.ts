// Ranges with few live hosts, swept by Drover and by nmap, by turns: on a quiet network, a wide one, and one that loses
// packets.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { scanPasses, type ScanView } from '../../contract/model.ts';
import { openDiscovery, type Discovery, type FleetHost, type ScanArgs } from '../../src-main/discovery/index.ts';
import { Lab } from '../lab/lab.ts';
import { run } from '../lab/run.ts';
import { withFarNetwork } from './impaired-link.ts';
import { asked, bench, byTurns, median, ratio, type Report, timed } from './measure.ts';

const rounds = asked('rounds', 10);
const wideRounds = asked('wide', 3);
const lossyRounds = asked('lossy', 20);
const widest = asked('memory', 16);

const opened = (fleet: readonly FleetHost[] = []) =>
  openDiscovery({
    store: { load: async () => undefined, save: async () => {} },
    fleet: () => fleet,
    addHost: () => Promise.reject(new Error('nothing is added here')),
  });

function finished({ scans }: Discovery, args: ScanArgs): Promise<ScanView> {
  return new Promise((resolve) => {
    const undo = scans.onChange((change) => {
      if ('removed' in change || change.state === 'running') return;
      undo();
      resolve(scans.get(change.id));
    });
    scans.start(args);
  });
}

/** @returns how many open ports it found, which is what nmap is asked for */
async function sweep(cidr: string): Promise<number> {
  const discovery = await opened();
  try {
    const { found } = await finished(discovery, { cidr });
    return found.filter(({ kind }) => kind === 'ssh' || kind === 'open').length;
  } finally {
    await discovery.close();
  }
}

/** @returns how many open ports it found */
async function nmap(timing: '-T4' | '-T5', cidr: string): Promise<number> {
  const said = await run(['nmap', '-n', '-Pn', '-sT', '-p22', timing, '--open', '-oG', '-', cidr]);
  return said.split('\n').filter((line) => line.includes('22/open')).length;
}

/** Both over the same range, by turns: their times, and how many each found in each round. */
async function race(cidr: string, times: number) {
  const found = { drover: [] as number[], t4: [] as number[], t5: [] as number[] };
  const took = await byTurns(times, {
    drover: () => timed(async () => found.drover.push(await sweep(cidr))),
    t4: () => timed(async () => found.t4.push(await nmap('-T4', cidr))),
    t5: () => timed(async () => found.t5.push(await nmap('-T5', cidr))),
  });
  return { took, found };
}

async function near(report: Report, lab: Lab): Promise<void> {
  const { subnet } = lab.state;
  const fourth = subnet.replace(/\.0\/24$/, '.200');
  await lab.exec('kvm1', ['ip', 'addr', 'replace', `${fourth}/24`, 'dev', 'eth0']);
  const { took, found } = await race(subnet, rounds);
  report.figure('/24, 4 live: Drover', median(took.drover), 'ms');
  report.figure('/24, 4 live: nmap -T4', median(took.t4), 'ms');
  report.figure('/24, 4 live: nmap -T5', median(took.t5), 'ms');
  report.figure('/24, 4 live: Drover ÷ nmap -T4', ratio(took.drover, took.t4), '×', { most: 0.5 });
  report.figure('/24, 4 live: Drover ÷ nmap -T5', ratio(took.drover, took.t5), '×', { most: 1 });
  report.figure('/24, 4 live: found in the worst round', Math.min(...found.drover), 'of 4', { least: 4 });
  report.note(`${rounds} rounds over ${subnet}; Drover has then read every banner and host key too`);
}

async function wide(report: Report, lab: Lab): Promise<void> {
  const cidr = '10.251.16.0/20';
  const live = Array.from({ length: 100 }, (_, at) => `10.251.${16 + (at % 16)}.${10 + at}`);
  await withFarNetwork({ lab, host: 'kvm1', cidr, live }, { delayMs: 0, lossPercent: 0, seed: 1 }, async () => {
    const { took, found } = await race(cidr, wideRounds);
    report.figure('/20, 100 live: Drover', median(took.drover) / 1_000, 's');
    report.figure('/20, 100 live: nmap -T4', median(took.t4) / 1_000, 's');
    report.figure('/20, 100 live: Drover ÷ nmap -T4', ratio(took.drover, took.t4), '×', { most: 0.5 });
    report.figure('/20, 100 live: found in the worst round', Math.min(...found.drover), 'of 100', { least: 100 });
    report.note(`${wideRounds} rounds over ${cidr}; all 100 are one host’s, which makes 100 key exchanges for Drover`);
  });
}

async function lossy(report: Report, lab: Lab): Promise<void> {
  const cidr = '10.251.64.0/24';
  // All are one host's, whose sshd takes ten logins at a time.
  const live = Array.from({ length: 8 }, (_, at) => `10.251.64.${10 + 29 * at}`);
  for (const lossPercent of [0, 1, 5]) {
    const link = { delayMs: 10, lossPercent, seed: 7 + lossPercent };
    await withFarNetwork({ lab, host: 'kvm1', cidr, live }, link, async () => {
      const { took, found } = await race(cidr, lossyRounds);
      const missed = (all: number[]) => all.reduce((sum, some) => sum + live.length - some, 0);
      const name = `20 ms, ${lossPercent} % lost each way`;
      report.figure(`${name}: Drover missed`, missed(found.drover), `of ${live.length * lossyRounds}`, {
        most: Math.min(missed(found.t4), missed(found.t5)),
      });
      report.figure(`${name}: nmap -T4 missed`, missed(found.t4), `of ${live.length * lossyRounds}`);
      report.figure(`${name}: nmap -T5 missed`, missed(found.t5), `of ${live.length * lossyRounds}`);
      report.figure(`${name}: Drover ÷ nmap -T4`, ratio(took.drover, took.t4), '×');
      report.figure(`${name}: Drover ÷ nmap -T5`, ratio(took.drover, took.t5), '×');
    });
  }
  report.note(`${lossyRounds} rounds over a /24 with ${live.length} live hosts behind a cable that delays and loses`);
}

/** What is held while ever wider ranges are swept, in this process. */
async function memory(report: Report, lab: Lab): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  let narrow = NaN;
  for (const bits of [24, 20, 16].filter((one) => one >= widest)) {
    const cidr = `10.252.0.0/${bits}`;
    // A few that answer, so that it goes at the pace of a network and not of nobody.
    const live = Array.from({ length: 16 }, (_, at) => `10.252.0.${10 + at}`);
    await withFarNetwork({ lab, host: 'kvm1', cidr, live }, { delayMs: 0, lossPercent: 0, seed: 1 }, async () => {
      const discovery = await opened();
      let held = 0;
      let resident = 0;
      let looks = 0;
      const timer = setInterval(() => {
        resident = Math.max(resident, process.memoryUsage.rss());
        if ((looks += 1) % 10 !== 1) return;
        gc();
        held = Math.max(held, process.memoryUsage().heapUsed);
      }, 50);
      const took = await timed(() => finished(discovery, { cidr }));
      clearInterval(timer);
      await discovery.close();
      narrow = bits === 24 ? held : narrow;
      report.figure(`/${bits}, 16 live: held in memory at most, cleared up`, held / 1e6, 'MB', {
        most: narrow / 1e6 + 4,
      });
      report.figure(`/${bits}, 16 live: resident at most, this bench’s own included`, resident / 1e6, 'MB');
      report.figure(`/${bits}, 16 live: time`, took / 1000, 's');
    });
  }
}

/** The four passes over one range, their connections counted where they arrive. */
async function passes(report: Report, lab: Lab): Promise<void> {
  const cidr = '10.251.96.0/24';
  const live = Array.from({ length: 8 }, (_, at) => `10.251.96.${10 + 29 * at}`);
  const fleet = live.slice(0, 2).map((address) => ({ id: address, address, port: 22, libvirtVersion: '9.0.0' }));
  const rule = ['PREROUTING', '-p', 'tcp', '--syn', '-d', cidr];
  const counted = async () => {
    const said = await lab.exec('kvm1', ['iptables', '-t', 'raw', '-vnxL', 'PREROUTING', '-Z']);
    return Number(/^ *(\d+) .*10\.251\.96\.0/m.exec(said)?.[1]);
  };
  await withFarNetwork({ lab, host: 'kvm1', cidr, live }, { delayMs: 0, lossPercent: 0, seed: 1 }, async () => {
    await lab.exec('kvm1', ['iptables', '-t', 'raw', '-I', ...rule]);
    const discovery = await opened(fleet);
    try {
      for (const pass of scanPasses) {
        const { connections } = discovery.scans.forecast({ cidr, pass });
        const scan = await finished(discovery, { cidr, pass });
        report.figure(`pass ${pass}: connections, counted at the host`, await counted(), '', connections);
        report.figure(`pass ${pass}: connections, as it says itself`, scan.connections, '');
      }
    } finally {
      await discovery.close();
      await lab.exec('kvm1', ['iptables', '-t', 'raw', '-D', ...rule]);
    }
  });
  report.note(
    `the passes go over ${cidr}, where ${live.length} answer and ${fleet.length} of these are known libvirt hosts`,
  );
}

await bench('scan', async (report) => {
  const lab = await Lab.open();
  await lab.reset();
  await near(report, lab);
  await passes(report, lab);
  if (widest <= 24) await memory(report, lab);
  if (wideRounds > 0) await wide(report, lab);
  if (lossyRounds > 0) await lossy(report, lab);
});
