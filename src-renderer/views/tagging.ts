// Gives VMs other tags, one task a VM, and offers to take that back.
import type { DomainRef } from '../../contract/model.ts';
import { batchOf } from '../stores/batches.ts';
import type { Domain } from '../stores/domain.svelte.ts';
import { changedTags, type TagChange } from '../stores/tags.ts';
import { count } from '../words/format.ts';
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
    const what = done.length === 1 ? (done[0]?.name ?? '') : count(done.length, 'VM', 'VMs');
    const back = done.map((step) => ({ ...step, was: step.tags, tags: step.was }));
    desk.undo.offer(`${what}: ${inWords(change)}`, () => carryOut(back, desk));
  });
}

/** Answers those that went well; the others are told by their tasks, and once. */
async function carryOut(steps: readonly Step[], desk: Desk): Promise<Step[]> {
  const batch = batchOf(steps.length, count(steps.length, 'VM', 'VMs'));
  const queue = [...steps];
  const done: Step[] = [];
  const work = async () => {
    for (let step = queue.shift(); step; step = queue.shift()) {
      const { uuid, name, tags } = step;
      // Where it is now: it may have moved since.
      const hostId = (desk.fleet.domain(step) ?? desk.fleet.homes(uuid)[0])?.view.hostId ?? step.hostId;
      const err = await desk.tasks.run({ what: 'Tag', target: name, hosts: [hostId], batch }, () =>
        desk.link.call('domains.update', { hostId, uuid, tags: [...tags] }),
      );
      if (err) desk.toasts.show('error', err.message);
      else done.push(step);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, steps.length) }, work));
  return done;
}

const inWords = ({ add, remove }: TagChange) =>
  [add.length > 0 && `tagged ${add.join(', ')}`, remove.length > 0 && `no longer tagged ${remove.join(', ')}`]
    .filter(Boolean)
    .join('; ');
