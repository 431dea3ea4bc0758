// Chaos on real hosts: in each phase of a live migration something is killed or cut, and then it is looked up on the
// hosts themselves where the VM is, and by the guest's ticks whether it ever ran twice.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { HostView, MigrationView } from '../../contract/model.ts';
import type { Lab } from './lab.ts';
import { setLink } from './namespaces.ts';
import { until } from './run.ts';
import { Served } from './served.ts';

export const victims = [
  'Drover',
  'sshd of the source',
  'sshd of the target',
  'libvirtd of the source',
  'libvirtd of the target',
  'QEMU of the target',
  'cable of the source',
  'cable of the target',
  'cable of the admin',
] as const;
export type Victim = (typeof victims)[number];

export const phases = ['begin', 'prepare', 'perform', 'finish', 'confirm'] as const;
export type Phase = (typeof phases)[number];

export interface Blow {
  victim: Victim;
  /** When it is to fall: so long after that phase was told. */
  phase: Phase;
  delayMs: number;
  /** How long what was killed or cut stays away. */
  awayMs: number;
}

export interface Round extends Blow {
  from: string;
  to: string;
  /** The phase that was told last when the blow had fallen; `after` where the migration had ended by then. */
  struck: Phase | 'before' | 'after';
  outcome: 'moved' | 'stayed' | 'attention' | 'killed' | 'WRONG';
  /** What was wrong, in sentences. */
  wrong: string[];
  state: MigrationView['state'];
  seconds: number;
}

const guest = 'busy01';
/** The host that is set up as distributions do; it is always one of the two. */
const usual = 'kvm3';
const settledMs = 150_000;
/** How long after its beginning a blow may fall, so that all of a phase is hit. */
const within: Record<Phase, number> = { begin: 0, prepare: 400, perform: 1_500, finish: 0, confirm: 900 };

/** From 0 up to, not including, 1; the same for the same seed. */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Every victim in every phase, in an order of the seed's, again and again. */
export function blows(count: number, seed: number): Blow[] {
  const random = chance(seed);
  const all: Blow[] = [];
  while (all.length < count) {
    const deck = victims.flatMap((victim) => phases.map((phase) => ({ victim, phase, order: random() })));
    deck.sort((a, b) => a.order - b.order);
    for (const { victim, phase } of deck) {
      all.push({ victim, phase, delayMs: random() * within[phase], awayMs: 200 + random() * 5_000 });
    }
  }
  return all.slice(0, count);
}

/** The machine's pids of a host's processes of that name: a signal is there sooner than by a shell on the host. */
function pidsIn(init: number, comm: string): number[] {
  const namespace = readlinkSync(`/proc/${init}/ns/pid`);
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      if (!readFileSync(`/proc/${name}/comm`, 'utf8').startsWith(comm)) return [];
      return readlinkSync(`/proc/${name}/ns/pid`) === namespace ? [Number(name)] : [];
    } catch {
      return []; // gone meanwhile
    }
  });
}

export class Chaos {
  readonly #lab: Lab;
  #drover: Served;
  #hosts: Record<string, HostView>;

  static async start(lab: Lab): Promise<Chaos> {
    const drover = await Served.start();
    return new Chaos(lab, drover, await drover.addLab(lab));
  }

  private constructor(lab: Lab, drover: Served, hosts: Record<string, HostView>) {
    this.#lab = lab;
    this.#drover = drover;
    this.#hosts = hosts;
  }

  async end(): Promise<void> {
    await this.#drover.remove();
  }

  async round(blow: Blow, random: () => number): Promise<Round> {
    const began = performance.now();
    const lab = this.#lab;
    const from = await this.#ready(random);
    const to = from === usual ? (random() < 0.5 ? 'kvm1' : 'kvm2') : usual;
    const firstTick = (await lab.ticks(guest)).length;
    const { uuid } = await until(`${guest} is seen on ${from}`, () =>
      this.#drover.domain(guest, from).then(
        (domain) => (domain.state === 'running' && domain.job === null ? domain : null),
        () => null,
      ),
    );
    const watched = await this.#drover.events();
    const latest = () =>
      watched.told
        .filter(({ event }) => event === 'migration')
        .map(({ data }) => data as MigrationView)
        .findLast((view) => view.id === id);
    let id = '';
    const { id: begun } = await this.#drover.get<MigrationView>('POST', '/migrations', {
      uuid,
      from: this.#idOf(from),
      to: this.#idOf(to),
      options: { transport: 'direct', autoConverge: true, maxDowntimeMs: 2_000, bandwidthMiBps: 100 },
    });
    id = begun;
    const order = (view?: MigrationView) => phases.indexOf(view?.phase as Phase);
    await until(
      `${blow.phase} begins`,
      () => order(latest()) >= phases.indexOf(blow.phase) || (latest()?.endedAt ?? null) !== null,
      60_000,
      2,
    );
    if (blow.delayMs > 0) await new Promise((wake) => setTimeout(wake, blow.delayMs));
    const mend = await this.#strike(blow.victim, from, to);
    const told = latest();
    const struck = told?.endedAt ? 'after' : order(told) < 0 ? 'before' : (told?.phase as Phase);
    await new Promise((wake) => setTimeout(wake, blow.awayMs));
    await mend();
    watched.close();
    const view = await until(
      `migration ${id} has ended, or waits for somebody`,
      async () => {
        const now = await this.#drover.get<MigrationView>('GET', `/migrations/${id}`).catch(() => null);
        const alarm = now?.state === 'needs-attention' && now.error?.code === 'conflict';
        return now && (now.endedAt !== null || alarm) ? now : null;
      },
      settledMs,
      200,
    ).catch(() => null);
    const found = await this.#judge(blow, view, from, to, firstTick);
    return {
      ...blow,
      from,
      to,
      struck,
      ...found,
      state: view?.state ?? 'running',
      seconds: Math.round((performance.now() - began) / 1000),
    };
  }

  /** All is up, and the guest runs somewhere, once. @returns where */
  async #ready(random: () => number): Promise<string> {
    const lab = this.#lab;
    const places = await lab.whereabouts(guest);
    let on = places.length === 1 && places[0]?.state === 'running' ? places[0].host : null;
    if (on === null) {
      on = random() < 0.5 ? usual : 'kvm1';
      await lab.ensureRunning(guest, on);
    }
    await until(
      'all hosts are online',
      async () => (await this.#drover.get<HostView[]>('GET', '/hosts')).every(({ state }) => state === 'online'),
      90_000,
    );
    return on;
  }

  /** @returns what puts it right again */
  async #strike(victim: Victim, from: string, to: string): Promise<() => Promise<void>> {
    const lab = this.#lab;
    const kill = (host: string, comm: string) => {
      for (const pid of pidsIn(lab.host(host).init.pid, comm)) process.kill(pid, 'SIGKILL');
    };
    const daemon = (host: string, name: 'sshd' | 'libvirtd') => {
      kill(host, name);
      return async () => {
        await lab.kill(host, name); // a session that came up just then
        await lab.start(host, name);
      };
    };
    const cable = async (member: string) => {
      await setLink(lab.state.prefix, member, 'down');
      return async () => void (await setLink(lab.state.prefix, member, 'up'));
    };
    switch (victim) {
      case 'Drover': {
        const { dataDir } = this.#drover;
        await this.#drover.stop('SIGKILL');
        return async () => {
          this.#drover = await Served.start({ dataDir });
        };
      }
      case 'sshd of the source':
        return daemon(from, 'sshd');
      case 'sshd of the target':
        return daemon(to, 'sshd');
      case 'libvirtd of the source':
        return daemon(from, 'libvirtd');
      case 'libvirtd of the target':
        return daemon(to, 'libvirtd');
      case 'QEMU of the target': {
        for (const pid of pidsIn(lab.host(to).init.pid, 'qemu-system')) {
          if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`guest=${guest},`)) process.kill(pid, 'SIGKILL');
        }
        return async () => {};
      }
      case 'cable of the source':
        return cable(from);
      case 'cable of the target':
        return cable(to);
      case 'cable of the admin':
        return cable('adm');
    }
  }

  async #judge(blow: Blow, view: MigrationView | null, from: string, to: string, firstTick: number) {
    const lab = this.#lab;
    const wrong: string[] = [];
    if (view === null) wrong.push('the migration did not come to an end');
    const places = await lab.whereabouts(guest);
    const running = places.filter(({ state }) => state === 'running').map(({ host }) => host);
    const where = places.map(({ host, state }) => `${state} on ${host}`).join(', ') || 'nowhere';
    const ticks = (await lab.ticks(guest)).slice(Math.max(0, firstTick - 1));
    // Two of them would say the same tick twice; one that was started anew would begin at 1.
    const broken = ticks.findIndex((tick, at) => at > 0 && tick !== (ticks[at - 1] ?? 0) + 1);
    const attention = view?.state === 'needs-attention';
    const killed = blow.victim === 'QEMU of the target' && running.length === 0 && view?.phase !== 'perform';
    if (running.length > 1) wrong.push(`it runs on ${running.join(' and ')}`);
    if (broken > 0) wrong.push(`ticks ${ticks.slice(broken - 1, broken + 2).join(', ')} followed each other`);
    if (running.length === 0 && !attention && !killed) wrong.push(`it runs nowhere: ${where}`);
    if (places.length > 1 && !attention && !killed) wrong.push(`it is left over: ${where}`);
    if (running.length === 1) {
      await lab.waitForTick(guest).catch(() => wrong.push('it says nothing any more'));
      const said = view?.verdict?.runningOn.map((id) => this.#nameOf(id)).join() ?? '';
      const unseen = view?.notices?.some((notice) => /did not answer/.test(notice)) ?? false;
      if (view?.endedAt && said !== running.join() && !unseen)
        wrong.push(`Drover says that it runs on “${said}”: ${where}`);
    }
    const outcome: Round['outcome'] =
      wrong.length > 0 ? 'WRONG' : killed ? 'killed' : attention ? 'attention' : running[0] === to ? 'moved' : 'stayed';
    return { outcome, wrong };
  }

  #idOf(name: string): string {
    return this.#hosts[name]?.id ?? '';
  }

  #nameOf(id: string): string {
    return Object.values(this.#hosts).find((host) => host.id === id)?.label ?? id;
  }
}

/** One row a victim, one column a phase: what came of it, how often. */
export function table(rounds: readonly Round[]): string {
  const columns = ['before', ...phases, 'after'] as const;
  const used = columns.filter((column) => rounds.some(({ struck }) => struck === column));
  const cell = (victim: Victim, column: string) => {
    const here = rounds.filter((round) => round.victim === victim && round.struck === column);
    const outcomes = [...new Set(here.map(({ outcome }) => outcome))].sort();
    return outcomes.map((one) => `${one} ${here.filter(({ outcome }) => outcome === one).length}`).join(', ');
  };
  const rows = victims.map((victim) => `| ${victim} | ${used.map((column) => cell(victim, column)).join(' | ')} |`);
  return [`| struck | ${used.join(' | ')} |`, `| --- | ${used.map(() => '---').join(' | ')} |`, ...rows].join('\n');
}
