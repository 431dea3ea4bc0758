// A network behind a slow and lossy cable: addresses that only answer through `impaired-link.c`, on a host of the lab.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Lab } from '../lab/lab.ts';
import { run } from '../lab/run.ts';

export interface Impairment {
  /** Of one way, in milliseconds. */
  delayMs: number;
  /** Of one way. */
  lossPercent: number;
  seed: number;
}

export interface Far {
  lab: Lab;
  /** The host whose addresses they are: its sshd answers at each. */
  host: string;
  cidr: string;
  /** Within the CIDR; all others are silent. */
  live: readonly string[];
}

/** Runs `measure` with that network there. */
export async function withFarNetwork<T>(far: Far, impaired: Impairment, measure: () => Promise<T>): Promise<T> {
  const { lab, host, cidr, live } = far;
  const folder = await mkdtemp(join(tmpdir(), 'drover-bench-'));
  const program = join(folder, 'impaired-link');
  execFileSync('gcc', ['-O2', '-o', program, join(import.meta.dirname, 'impaired-link.c')]);
  const { delayMs, lossPercent, seed } = impaired;
  const namespace = `/proc/${lab.host(host).init.pid}/ns/net`;
  const link = spawn(program, [namespace, String(delayMs), String(lossPercent), String(seed)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const gone = once(link, 'exit');
  try {
    const [ready] = (await Promise.race([once(link.stdout, 'data'), gone])) as [unknown];
    if (!String(ready).startsWith('ready')) throw new Error('the impaired link could not be made');
    const here = lab.admin.address;
    await run(['ip', 'link', 'set', 'slow0', 'up']);
    await run(['ip', 'route', 'add', cidr, 'dev', 'slow0', 'src', here]);
    const there = [
      'link set slow1 up',
      // By a table of its own, so that what comes back takes the same way; what is not live is swallowed.
      `route add ${here} dev slow1 table 77`,
      `rule add from ${cidr} table 77`,
      `route add blackhole ${cidr}`,
      ...live.map((address) => `addr add ${address}/32 dev slow1`),
    ];
    await lab.exec(host, ['ip', '-batch', '-'], { input: there.join('\n') + '\n' });
    return await measure();
  } finally {
    link.stdin.end();
    await gone;
    // The devices are gone with the program, and with them their addresses and routes.
    await lab.exec(host, ['ip', '-force', '-batch', '-'], {
      input: `route del blackhole ${cidr}\nrule del from ${cidr} table 77\n`,
    });
    await rm(folder, { recursive: true, force: true });
  }
}
