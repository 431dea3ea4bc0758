// Gives VMs other tags, one task a VM, and offers to take that back.
import type { DomainRef } from '../../contract/model.ts';
import { batchOf } from '../stores/batches.ts';
import type { Domain } from '../stores/domain.svelte.ts';
import { changedTags, type TagChange } from '../stores/tags.ts';
import { tagging as words } from '../words/edit-tags.ts';
import { vms } from '../words/format.ts';
import type { Desk } from './desk.svelte.ts';

/** Asked at once: more would only wait at their hosts. */
const atOnce = 16;

interface Step extends DomainRef {
  name: string;
  was: readonly string[];
  tags: readonly string[];
}

export function retag(domains: readonly Domain[], change: TagChange, desk: Desk): void {
  const steps = domains.flatMap(({ view: { hostId, uuid, name, tags } }): Step[] => {
    const wanted = changedTags(tags, change);
    return wanted ? [{ hostId, uuid, name, was: tags, tags: wanted }] : [];
  });
  void carryOut(steps, desk).then((done) => {
    if (done.length === 0) return;
    const what = done.length === 1 ? (done[0]?.name ?? '') : vms(done.length);
    desk.undo.offer(words.done(what, change.add, change.remove), () => takeBack(done, desk));
  });
}

/** Only what was given and taken away: others may have given them more tags since. @throws Error where it fails for one */
async function takeBack(done: readonly Step[], desk: Desk): Promise<void> {
  const steps = done.flatMap((step): Step[] => {
    const now = homeOf(step, desk)?.view.tags ?? step.tags;
    const wanted = changedTags(now, {
      add: step.was.filter((tag) => !step.tags.includes(tag)),
      remove: step.tags.filter((tag) => !step.was.includes(tag)),
    });
    return wanted ? [{ ...step, was: now, tags: wanted }] : [];
  });
  const back = await carryOut(steps, desk);
  if (back.length < steps.length) {
    throw new Error(words.notTakenBack(steps.length - back.length, steps.length));
  }
}

/** Where it is now: it may have moved since. */
const homeOf = (step: DomainRef, desk: Desk) => desk.fleet.domain(step) ?? desk.fleet.homes(step.uuid)[0];

/** Answers those that went well; the others are told by their tasks, and once. */
async function carryOut(steps: readonly Step[], desk: Desk): Promise<Step[]> {
  const batch = batchOf(steps.length, vms(steps.length));
  const queue = [...steps];
  const done: Step[] = [];
  const work = async () => {
    for (let step = queue.shift(); step; step = queue.shift()) {
      const { uuid, name, tags } = step;
      const hostId = homeOf(step, desk)?.view.hostId ?? step.hostId;
      const err = await desk.tasks.run({ what: words.task, target: name, hosts: [hostId], batch }, () =>
        desk.link.call('domains.update', { hostId, uuid, tags: [...tags] }),
      );
      if (err) desk.toasts.show('error', err.message);
      else done.push(step);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, steps.length) }, work));
  return done;
}
