// What becomes of a migration whose steps were interrupted: asks both hosts again and again, acts only on what they
// answer, and where no rule covers it, offers what a person may do.
import type { Err } from '../../../contract/failure.ts';
import { Failure } from '../../../contract/failure.ts';
import type { MigrationAction } from '../../../contract/model.ts';
import { explain } from '../../fleet/explain.ts';
import type { Host } from '../../fleet/host.ts';
import { type Connection, type Dom, jobType, LibvirtError, undefineFlags } from '../../libvirt/index.ts';
import { type Decision, decide } from './decide.ts';
import { look, type Look } from './look.ts';
import type { ManagedMove } from '../managed.ts';

export interface Unsettled {
  source: Host;
  target: Host;
  dom: Dom;
  name: string;
  undefineSource: boolean;
  performed: boolean;
  finishSent: boolean;
  /** The two daemons drive it between themselves: while the source has its job, it is under way. */
  daemons: boolean;
  /** The steps and their connections, where they are still ours. */
  ours: { move: ManagedMove; source: Connection; target: Connection } | null;
  /** A definition that moves without running. */
  offline: boolean;
  clock: { sleep(ms: number): Promise<unknown>; now(): number };
  /** Drover is about to end. */
  leaving: () => boolean;
  /** It does not settle by itself soon: what to tell meanwhile. */
  attention: (error: Err, actions: MigrationAction[]) => void;
  /** It goes on between the daemons, as it should. */
  underWay: () => void;
}

export type Settled =
  | { end: 'moved'; here: Look; there: Look }
  | { end: 'stayed' }
  /** Nobody will ever know, or somebody told us to leave it. */
  | { end: 'given-up'; error: Err }
  /** It goes on without us; the next start takes it up. */
  | { end: 'left' };

const soonMs = 300;
const askAgainMs = 2_000;
/** An interrupted migration that is settled sooner than this is nobody's concern. */
const attentionMs = 4_000;
/** A source that runs on, and whose job does not end, has another job than ours. */
const jobEndsMs = 15_000;

export class Settlement {
  readonly #case: Unsettled;
  #actions: MigrationAction[] = [];
  #givenUp = false;
  #acting = false;

  constructor(unsettled: Unsettled) {
    this.#case = unsettled;
  }

  async run(): Promise<Settled> {
    const { source, target, dom, clock, leaving, ours, daemons } = this.#case;
    let since = clock.now();
    let alarmed = false;
    for (let pause = soonMs; ; pause = Math.min(askAgainMs, pause * 1.5)) {
      const [here, there] = await Promise.all([look(source, dom.uuid), look(target, dom.uuid)]);
      const waited = clock.now() - since;
      if (daemons && here.job) {
        if (leaving()) return { end: 'left' };
        since = clock.now();
        this.#actions = [];
        this.#case.underWay();
        await clock.sleep(soonMs * 2);
        continue;
      }
      const decision = decide({
        source: here.seen,
        target: there.seen,
        performed: this.#case.performed,
        finishSent: this.#case.finishSent || daemons,
        sourceOurs: ours !== null && !ours.source.over,
        targetOurs: ours !== null && !ours.target.over,
      });
      const ending = decision.do === 'done' && decision.outcome === 'stayed' && here.job && waited < jobEndsMs;
      if (decision.do === 'done' && !ending) {
        if (decision.outcome === 'stayed') return { end: 'stayed' };
        await this.#forgetSource(here, there);
        return { end: 'moved', here, there };
      }
      const waits = decision.do === 'wait' || decision.do === 'alarm';
      const late = waited > attentionMs && !ending;
      // The two were not asked at the same moment: only what is seen twice is an alarm.
      if ((decision.do === 'alarm' && alarmed) || late) this.#attention(decision, here, there);
      alarmed = decision.do === 'alarm';
      if (this.#givenUp || (waits && (source.removed || target.removed))) {
        return { end: 'given-up', error: this.#interrupted(decision) };
      }
      if ((waits || late) && leaving()) return { end: 'left' };
      try {
        // Awaited, and every call in it has its limit: a step that is still open must not act on what was seen before.
        if (!this.#acting) await this.#carryOut(decision, here);
      } catch {
        // What it came to is seen when both are asked again.
      }
      await clock.sleep(waits || late ? Math.max(pause, soonMs) : soonMs);
    }
  }

  get actions(): MigrationAction[] {
    return this.#actions;
  }

  /** Carries out one of `actions`, after looking again that it still fits. @throws Failure */
  async resolve(id: string): Promise<void> {
    const { source, target, dom, name } = this.#case;
    if (!this.#actions.some((action) => action.id === id)) {
      throw new Failure('not-found', `The migration of ${name} offers no action “${id}” now.`);
    }
    if (id === 'leave') {
      this.#givenUp = true;
      return;
    }
    if (this.#acting) throw new Failure('conflict', `Another action on the migration of ${name} is under way.`);
    this.#acting = true;
    try {
      const [here, there] = await Promise.all([look(source, dom.uuid), look(target, dom.uuid)]);
      if (!actionsFor(here, there, this.#case).some((action) => action.id === id)) {
        throw new Failure('conflict', `${name} is not where it was any more, so “${id}” was not carried out.`);
      }
      const host = id === 'end-target' ? target : source;
      try {
        if (id === 'resume-source') await this.#resumeSource();
        else if (id === 'end-source') await this.#endSource(here);
        else await (await target.work()).call('domain_destroy_flags', { dom }).catch(ignoreGone);
      } catch (error) {
        throw explain(error, host.label, `${id} of ${name}`);
      }
    } finally {
      this.#acting = false;
    }
  }

  async #carryOut(decision: Decision, here: Look): Promise<void> {
    const { ours } = this.#case;
    switch (decision.do) {
      case 'confirm-moved':
        return ours?.move.confirm('moved');
      case 'confirm-stayed':
        return ours?.move.confirm('stayed');
      case 'finish-cancelled':
        await ours?.move.dropTarget();
        return;
      case 'destroy-source':
        return this.#endSource(here);
      case 'resume-source':
        return this.#resumeSource();
      case 'done':
      case 'wait':
      case 'alarm':
        return;
    }
  }

  async #endSource(here: Look): Promise<void> {
    const { source, dom, undefineSource } = this.#case;
    const on = await source.work();
    await on.call('domain_destroy_flags', { dom }).catch(ignoreGone);
    if (undefineSource && here.persistent) await undefine(on, dom);
  }

  async #resumeSource(): Promise<void> {
    const { source, dom } = this.#case;
    // Asked once more, on the connection that the resume goes over: it would wait for a job that is held,
    // and start a second copy when that job ends.
    const on = await source.work();
    const { type } = await on.call('domain_get_job_stats', { dom });
    if (type === jobType.none) await on.call('domain_resume', { dom });
  }

  /** The definition that confirm would have taken away. Only where the target holds one that outlives its restart. */
  async #forgetSource(here: Look, there: Look): Promise<void> {
    const { source, dom, undefineSource, finishSent, offline, ours } = this.#case;
    if (here.seen.at !== 'shutoff') return;
    if (ours && !ours.source.over) {
      // Of a definition alone, the source's goes only where the target was seen to have its own to keep.
      if (offline && !(undefineSource && there.persistent)) return ours.move.confirm('stayed').catch(() => {});
      const confirmed = await ours.move.confirm('moved').then(
        () => true,
        () => false,
      );
      if (confirmed || offline) return;
    }
    if (!undefineSource || !here.persistent || !there.persistent || !finishSent) return;
    try {
      await undefine(await source.work(), dom);
    } catch {
      // The verdict shows that it is defined there still.
    }
  }

  #attention(decision: Decision, here: Look, there: Look): void {
    this.#actions = actionsFor(here, there, this.#case);
    this.#case.attention(this.#interrupted(decision), this.#actions);
  }

  #interrupted(decision: Decision): Err {
    const { name, source, target } = this.#case;
    const said = `The migration of ${name} from ${source.label} to ${target.label} was interrupted.`;
    if (decision.do === 'alarm') {
      const message = `${said} ${decision.why} Drover touches neither side: look at both hosts, and end the copy that is wrong.`;
      return { code: 'conflict', message };
    }
    const why = decision.do === 'wait' ? decision.why : 'Its last step does not succeed yet, and is tried again.';
    const message = `${said} ${why} Drover goes on by itself as soon as it can; nothing is started or deleted until then.`;
    return { code: 'unreachable', message };
  }
}

/** What a person may do about it, by what both hosts were seen to hold. */
function actionsFor(
  here: Look,
  there: Look,
  { name, source, target, ours }: Pick<Unsettled, 'name' | 'source' | 'target' | 'ours'>,
): MigrationAction[] {
  const leave = (more: string): MigrationAction => ({
    id: 'leave',
    message: `Leave both hosts as they are, and follow this migration no longer.${more}`,
    destroys: false,
  });
  // A confirm that has no answer may be carried out yet, whatever is done meanwhile.
  if (ours?.move.unanswered && !ours.source.over) {
    return [
      leave(
        ` ${source.label} has not answered the last step and may still carry it out: start ${name} nowhere before you have seen where it runs.`,
      ),
    ];
  }
  const alive = ({ seen }: Look) => seen.at === 'running' || seen.at === 'paused' || seen.at === 'migrating';
  const actions: MigrationAction[] = [];
  const at = here.seen.at === 'migrating' ? here.seen.job : here.seen.at;
  if (at === 'left' && !alive(there)) {
    const unless =
      there.seen.at === 'unreachable'
        ? `Only if you know that it does not run on ${target.label}, e.g. because that host is switched off: a VM that runs twice destroys its disks.`
        : `Only if it has not written to its disks on ${target.label} meanwhile.`;
    actions.push({ id: 'resume-source', message: `Let ${name} go on on ${source.label}. ${unless}`, destroys: true });
  }
  if (alive(here) && alive(there)) {
    actions.push(
      { id: 'end-source', message: `End ${name} on ${source.label}; it stays on ${target.label}.`, destroys: true },
      { id: 'end-target', message: `End ${name} on ${target.label}; it stays on ${source.label}.`, destroys: true },
    );
  } else if (at === 'left' && there.seen.at === 'shutoff') {
    actions.push({
      id: 'end-source',
      message: `End the paused ${name} on ${source.label}; its memory there is lost.`,
      destroys: true,
    });
  }
  return [...actions, leave('')];
}

async function undefine(on: Connection, dom: Dom): Promise<void> {
  await on.call('domain_undefine_flags', { dom, flags: undefineFlags.keep_nvram }).catch(ignoreGone);
}

function ignoreGone(error: unknown): void {
  if (!LibvirtError.is(error, 'no_domain', 'operation_invalid')) throw error;
}
