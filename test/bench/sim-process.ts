// A simulated fleet in a process of its own, so that its share of the CPU can be told from Drover's.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lifecycle } from '../../src-sim/lifecycle.ts';
import { SimFleet, type SimHost } from '../../src-sim/index.ts';

export interface Size {
  hosts: number;
  /** Domains on each, running. */
  each: number;
}

/** A domain's change of state. `atMs` is when its event was sent, in the clock that all processes share. */
export interface Change {
  uuid: string;
  state: 'running' | 'paused';
  atMs: number;
}

type Order = { do: 'start'; size: Size; folder: string } | { do: 'change'; perSecond: number; forMs: number };
type Said = { uris: string[] } | { changes: Change[] };

/** Milliseconds of the clock that all processes of a machine share. */
export const sharedNow = () => Number(process.hrtime.bigint() / 1_000n) / 1_000;

/** The fleet, from the side of the bench. */
export class SimProcess {
  readonly uris: string[];
  readonly #child: ChildProcess;
  readonly #folder: string;

  static async start(size: Size): Promise<SimProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'drover-bench-'));
    const child = fork(import.meta.filename, { execArgv: ['--import', 'tsx'] });
    const { uris } = (await asking(child, { do: 'start', size, folder })) as { uris: string[] };
    return new SimProcess(child, folder, uris);
  }

  private constructor(child: ChildProcess, folder: string, uris: string[]) {
    this.#child = child;
    this.#folder = folder;
    this.uris = uris;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Pauses and resumes domains, one after the other, evenly over the time. */
  async change(perSecond: number, forMs: number): Promise<Change[]> {
    return ((await asking(this.#child, { do: 'change', perSecond, forMs })) as { changes: Change[] }).changes;
  }

  async close(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function asking(child: ChildProcess, order: Order): Promise<Said> {
  const over = new AbortController();
  try {
    child.send(order);
    return await Promise.race([
      once(child, 'message', over).then(([said]) => said as Said),
      once(child, 'exit', over).then(() => {
        throw new Error('the simulated fleet ended');
      }),
    ]);
  } finally {
    over.abort();
  }
}

async function start({ hosts, each }: Size, folder: string): Promise<SimFleet> {
  const names = Array.from({ length: hosts }, (_, at) => `kvm${String(at + 1).padStart(4, '0')}`);
  const fleet = await SimFleet.start({
    seed: 'bench',
    hosts: names.map((name) => ({ name })),
    domains: names.flatMap((host) =>
      Array.from({ length: each }, (_, at) => ({ name: `${host}-vm${at + 1}`, host, memoryMiB: 1024 })),
    ),
  });
  await fleet.writeFiles(folder);
  return fleet;
}

function change(fleet: SimFleet, perSecond: number, forMs: number): Promise<Change[]> {
  const changes: Change[] = [];
  const all = fleet.hosts.map((host) => [...host.daemon.domains.values()]);
  const next = (count: number) => {
    const at = count % all.length;
    const { daemon } = fleet.hosts[at] as SimHost;
    const domains = all[at] ?? [];
    const domain = domains[Math.floor(count / all.length) % domains.length];
    if (!domain) return;
    const state = domain.guest?.running ? 'paused' : 'running';
    changes.push({ uuid: domain.uuid, state, atMs: sharedNow() });
    void lifecycle[state === 'paused' ? 'suspend' : 'resume'](daemon, domain);
  };
  const began = performance.now();
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const passed = performance.now() - began;
      const due = (Math.min(passed, forMs) / 1000) * perSecond;
      while (changes.length < due) next(changes.length);
      if (passed < forMs) return;
      clearInterval(timer);
      resolve(changes);
    }, 5);
  });
}

if (process.send && process.argv[1] === import.meta.filename) {
  let fleet: SimFleet;
  const carryOut = async (order: Order): Promise<Said> => {
    if (order.do === 'change') return { changes: await change(fleet, order.perSecond, order.forMs) };
    fleet = await start(order.size, order.folder);
    return { uris: fleet.hosts.map((host) => host.uri()) };
  };
  process.on('message', (order: Order) => {
    void carryOut(order).then((said) => process.send?.(said));
  });
  process.on('disconnect', () => process.exit());
}
