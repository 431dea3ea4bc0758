// Plays one scenario on simulated hosts, and tells what it came to and which of the rules it broke.
import { readFile } from 'node:fs/promises';
import type { MigrationView } from '../../contract/model.ts';
import { Rig, until } from '../migration/rig.ts';
import type { Scenario } from './scenario.ts';

export type Outcome =
  | 'moved'
  | 'stayed'
  /** Refused before it began. */
  | 'refused'
  /** A person has to decide, rightly so. */
  | 'attention'
  /** The host that had it lost its power. */
  | 'powerless'
  /** The two daemons made it run twice between themselves. */
  | 'twice by the daemons';

export interface Played {
  outcome: Outcome;
  broken: string[];
  view: MigrationView | null;
}

const speed = 20;
const settleMs = 60_000; // a busy machine is no failure
const disks = { shared: '/srv/shared/web01.qcow2', copy: '/var/lib/libvirt/images/web01.qcow2' };

export async function play(scenario: Scenario): Promise<Played> {
  const { seed, number, transport, storage } = scenario;
  const path = disks[storage];
  const rig = await Rig.start(
    {
      seed: `chaos ${seed} ${number}`,
      speed,
      timings: { jobWait: 3_000 },
      hosts: [
        { name: 'kvm1', linkMiBps: 300 },
        { name: 'kvm2', linkMiBps: 300 },
      ],
      domains: [
        {
          name: 'web01',
          host: 'kvm1',
          memoryMiB: 512,
          disks: [{ path, gib: 1 }],
          profile: { dirtyMiBps: scenario.postCopy ? 600 : 20, tickMs: 0 },
        },
      ],
    },
    { hurry: speed },
  );
  const asked: Promise<unknown>[] = [];
  const answered = new Set<Promise<unknown>>();
  const ask = (promise: Promise<unknown>) => {
    asked.push(promise);
    const done = () => void answered.add(promise);
    promise.then(done, done);
  };
  const timers: NodeJS.Timeout[] = [];
  const ending = { now: Promise.resolve() };
  let mending: NodeJS.Timeout | null = null;
  try {
    for (const fault of scenario.faults) rig.sim.faults.set(fault);
    const toEnd = [...scenario.ends];
    const endDrover = (how: 'kill' | 'restart') => {
      const next = ending.now.then(() => (how === 'kill' ? rig.kill() : rig.restart()));
      ending.now = next.catch(() => {});
    };
    let away = scenario.away;
    let cancel = scenario.cancel;
    let id: string | null = null;
    rig.onStep = (step) => {
      if (away?.at === step) {
        rig.sim.faults.set({ kind: 'auth-refused', host: away.host });
        rig.sim.host(away.host).cutSsh();
        away = null;
      }
      if (cancel === step && id !== null) {
        cancel = null;
        ask(rig.migrations.get(id).cancel());
      }
      const at = toEnd.findIndex((one) => one.at === step);
      const [end] = at < 0 ? [] : toEnd.splice(at, 1);
      if (!end) return undefined;
      endDrover(end.how);
      // One that is killed never comes to the step; one that is told to end does.
      return end.how === 'kill' ? new Promise(() => {}) : undefined;
    };
    const options = { transport, storage, postCopy: scenario.postCopy, force: transport === 'p2p' };
    const began = await rig.start('web01', 'kvm1', 'kvm2', options).catch((error: unknown) => error as Error);
    if (began instanceof Error) return { outcome: 'refused', broken: [], view: null };
    id = began.id;
    for (const { at, how } of toEnd) if (typeof at === 'number') timers.push(setTimeout(() => endDrover(how), at));

    let switched = !scenario.postCopy;
    let view: MigrationView = began;
    const lasting = () => rig.sim.faults.list.some(({ kind }) => kind === 'silent' || kind === 'auth-refused');
    const broken = () => lasting() || rig.sim.hosts.some(({ down }) => down);
    const mend = async () => {
      rig.sim.faults.clear('silent');
      rig.sim.faults.clear('auth-refused');
      for (const host of rig.sim.hosts) if (host.down) await host.boot();
      mending = null;
    };
    // By itself: a Drover that is told to end may wait for just that.
    timers.push(
      setInterval(() => {
        if (broken()) mending ??= setTimeout(() => void mend(), scenario.mendMs);
      }, 20),
    );
    let alarmedAt: number | null = null;
    const ended = await until(
      'it has ended',
      async () => {
        await ending.now;
        for (const host of rig.fleet.hosts)
          if (host.view().retryAt !== null || host.state === 'auth-failed') host.connect();
        view = rig.migrations.get(began.id).view();
        if (!switched && view.progress.iteration > 0 && view.phase === 'perform') {
          switched = true;
          ask(rig.migrations.get(began.id).postCopy());
        }
        const alarm = view.state === 'needs-attention' && view.error?.code === 'conflict' && !broken();
        alarmedAt = alarm ? (alarmedAt ?? performance.now()) : null;
        if (alarmedAt !== null && performance.now() - alarmedAt > 500) return 'alarm';
        return view.endedAt !== null && !broken() ? 'ended' : null;
      },
      settleMs,
    ).catch(() => null);
    const { outcome, broken: rules } = await judge();
    return { outcome, broken: rules, view };

    async function judge(): Promise<{ outcome: Outcome; broken: string[] }> {
      const rules: string[] = [];
      const { sim } = rig;
      const powerLost = sim.hosts.some(({ crashes }) => crashes > 0);
      if (ended === null)
        rules.push(`it did not end: ${view.state} in ${view.phase}: ${view.error?.message ?? 'no error'}`);
      // A daemon ends by itself what its caller left.
      const quiet = () => {
        const { held, runs } = rig.where('web01');
        return held.length <= 1 && (ended === 'alarm' || held.join() === runs.join());
      };
      if (ended === 'ended') await until('what is left over goes', quiet, 3_000).catch(() => {});
      const { runs, held, defined } = rig.where('web01');
      const told = `runs on ${runs.join()}, held on ${held.join()}, defined on ${defined.join()}`;
      const twice = sim.twins.length > 0 || runs.length > 1;
      if (twice && transport !== 'p2p') rules.push(`it ran twice: ${JSON.stringify(sim.twins)}`);
      for (const problem of sim.problems) rules.push(`the simulation itself: ${String(problem)}`);
      if (ended === 'alarm') {
        await rig.migrations.get(began instanceof Error ? '' : began.id).resolve('leave');
        view = await rig.ended(view.id);
        const may = twice || powerLost || scenario.postCopy;
        if (!may) rules.push(`a person is asked without need: ${view.error?.message ?? ''} (${told})`);
        await leftOver(rules, runs);
        return { outcome: twice ? 'twice by the daemons' : 'attention', broken: rules };
      }
      if (powerLost && runs.length === 0) {
        await leftOver(rules, null);
        return { outcome: 'powerless', broken: rules };
      }
      if (runs.length !== 1 && !twice) rules.push(`it runs in ${runs.length} places: ${told}`);
      if (held.join() !== runs.join() && !twice) rules.push(`a copy is left: ${told}`);
      if (defined.join() !== runs.join() && !twice && !powerLost) rules.push(`a definition is left: ${told}`);
      const verdict = view.verdict?.runningOn.map((host) => rig.fleet.host(host).label).join();
      const unseen = view.notices?.some((notice) => /did not answer/.test(notice)) ?? false;
      if (ended === 'ended' && verdict !== runs.join() && !unseen) rules.push(`the verdict says ${verdict}: ${told}`);
      await leftOver(rules, runs);
      if (twice) return { outcome: 'twice by the daemons', broken: rules };
      return { outcome: runs[0] === 'kvm2' ? 'moved' : 'stayed', broken: rules };
    }

    /** @param runs Null: nobody knows where its disk is the right one. */
    async function leftOver(rules: string[], runs: string[] | null): Promise<void> {
      const { sim } = rig;
      for (const host of sim.hosts) {
        const long = host.daemon.domains.get(sim.uuid('web01'))?.lock.long;
        if (long && runs?.length === 1) rules.push(`${host.name} still holds “${long}”`);
        const told = view.notices?.some((notice) => notice.includes(`sockets on ${host.name}`)) ?? false;
        if (host.unix.folders.size > 0 && !told) rules.push(`sockets are left on ${host.name}`);
      }
      if (runs?.length === 1 && storage === 'copy') {
        const [on = ''] = runs;
        const there = sim.storage.file('kvm2', path);
        const holds = sim.storage.file(on, path)?.holds;
        if (holds !== `web01 ${path}`) rules.push(`its disk on ${on} holds “${holds ?? 'nothing'}”`);
        if (on === 'kvm1' && there) rules.push('a volume is left on kvm2');
      }
      const written = async () => /^\{"ended"/m.test(await readFile(rig.journal, 'utf8'));
      await until('its journal entry is closed', written, 2_000).catch(() => rules.push('its journal entry is open'));
      await until('every caller is answered', () => answered.size === asked.length, 2_000).catch(() =>
        rules.push(`${asked.length - answered.size} callers were not answered`),
      );
    }
  } finally {
    if (mending) clearTimeout(mending);
    for (const timer of timers) clearTimeout(timer);
    await ending.now;
    rig.onStep = () => {};
    rig.sim.faults.clear();
    await Promise.race([rig.close(), new Promise((wake) => setTimeout(wake, 5_000).unref())]);
  }
}
