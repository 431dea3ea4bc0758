// The demo fleet: simulated hosts on the real wire, in a thread of their own, added to the fleet and taken out again.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { Failure } from '../../contract/failure.ts';
import type { DemoView, HostId, HostView } from '../../contract/model.ts';

/** The first line that the simulation says. */
interface Hello {
  hosts: { label: string; group: string; uri: string; fingerprint: string }[];
}
type Reply = { id: number; faults: unknown[] } | { id: number; error: string };

export interface DemoOptions {
  addHost: (uri: string, label: string, group: string) => HostView;
  removeHost: (id: HostId) => Promise<void>;
}

export class Demo {
  readonly #options: DemoOptions;
  #running: Promise<Simulation> | null = null;

  constructor(options: DemoOptions) {
    this.#options = options;
  }

  /** Starts it, unless it is there already. */
  async start(): Promise<DemoView> {
    this.#running ??= this.#begin().catch((error: unknown) => {
      this.#running = null;
      throw error;
    });
    return { hosts: (await this.#running).hostIds.length };
  }

  /** Takes its hosts out of the fleet and ends it. */
  async stop(): Promise<DemoView> {
    const running = this.#running;
    this.#running = null;
    if (running) {
      const simulation = await running;
      // One that a migration is on refuses: then it goes when the simulation does.
      for (const id of simulation.hostIds) await this.#options.removeHost(id).catch(() => {});
      await simulation.end();
      for (const id of simulation.hostIds) await this.#options.removeHost(id).catch(() => {});
    }
    return { hosts: 0 };
  }

  async faults(): Promise<{ faults: unknown[] }> {
    return (await this.#there()).ask({ list: true });
  }

  /** @throws Failure `bad-request` for a fault that is none */
  async setFault(fault: Record<string, unknown>): Promise<{ faults: unknown[] }> {
    return (await this.#there()).ask({ set: fault });
  }

  async clearFaults(kind: string | null): Promise<{ faults: unknown[] }> {
    return (await this.#there()).ask({ clear: kind });
  }

  async #there(): Promise<Simulation> {
    if (!this.#running) throw new Failure('conflict', 'The demo fleet is not running. Start it first.');
    return this.#running;
  }

  async #begin(): Promise<Simulation> {
    const simulation = await Simulation.start();
    for (const { uri, label, group } of simulation.hosts) {
      simulation.hostIds.push(this.#options.addHost(uri, label, group).id);
    }
    return simulation;
  }
}

class Simulation {
  readonly hosts: Hello['hosts'];
  readonly hostIds: HostId[] = [];
  readonly #worker: Worker;
  #next = 1;
  #waiting = new Map<number, (reply: Reply) => void>();

  static async start(): Promise<Simulation> {
    const worker = simulator();
    const lines = createInterface({ input: worker.stdout });
    const failed = once(worker, 'error').then(([error]) => {
      throw new Failure('internal', `The demo fleet could not be started: ${String(error)}`);
    });
    failed.catch(() => {});
    const [line] = (await Promise.race([once(lines, 'line'), failed])) as [string];
    const simulation = new Simulation(worker, (JSON.parse(line) as Hello).hosts);
    lines.on('line', (text) => simulation.#take(JSON.parse(text) as Reply));
    return simulation;
  }

  private constructor(worker: Worker, hosts: Hello['hosts']) {
    this.#worker = worker;
    this.hosts = hosts;
  }

  async ask(command: Record<string, unknown>): Promise<{ faults: unknown[] }> {
    const id = this.#next++;
    const reply = new Promise<Reply>((resolve) => this.#waiting.set(id, resolve));
    this.#worker.stdin?.write(`${JSON.stringify({ id, ...command })}\n`);
    const answer = await reply;
    if ('error' in answer) throw new Failure('bad-request', answer.error);
    return { faults: answer.faults };
  }

  /** It ends, and removes its files, with its input. */
  async end(): Promise<void> {
    const exit = once(this.#worker, 'exit');
    this.#worker.stdin?.end();
    const late = setTimeout(() => void this.#worker.terminate(), 3_000);
    await exit;
    clearTimeout(late);
  }

  #take(reply: Reply): void {
    this.#waiting.get(reply.id)?.(reply);
    this.#waiting.delete(reply.id);
  }
}

/** Beside the bundle; where Drover runs from its sources, those need their loader in the thread, too. */
function simulator(): Worker {
  const piped = { stdin: true, stdout: true };
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./sim.js', import.meta.url), piped);
  const entry = new URL('../../src-sim/main.ts', import.meta.url).href;
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const code = `import(${loader}).then(({ register }) => (register(), import(${JSON.stringify(entry)})))`;
  return new Worker(code, { ...piped, eval: true });
}
