// What the hosts say to moving some VMs: asked few at a time, and only the answers to the last asking count.
import { SvelteMap } from 'svelte/reactivity';
import { toErr, type Err } from '../../contract/failure.ts';
import type { Link } from '../../contract/link.ts';
import type { DomainRef, HostId, Preflight } from '../../contract/model.ts';
import type { Chosen } from '../parts/migration-words.ts';

/** To one host, or to every other one by its id. */
export type Answer<P> = P | { err: Err } | 'asking';

const atOnce = 4;

export class Preflights {
  /** By VM (`keyOf`): its way to the one host that was asked about. */
  readonly toOne = new SvelteMap<string, Answer<Preflight>>();
  /** By VM: its ways to all hosts. */
  readonly toAll = new SvelteMap<string, Answer<Record<HostId, Preflight>>>();
  readonly #link: Link;
  #asked = { toOne: 0, toAll: 0 };

  constructor(link: Link) {
    this.#link = link;
  }

  ask(domains: readonly DomainRef[], to: HostId, options: Chosen): Promise<void> {
    const { force: _force, ...rest } = options; // what would be overridden is still to be told
    return this.#each('toOne', domains, ({ hostId, uuid }) =>
      this.#link.call('migrations.preflight', { uuid, from: hostId, to, options: rest }),
    );
  }

  askAll(domains: readonly DomainRef[]): Promise<void> {
    return this.#each('toAll', domains, ({ hostId, uuid }) =>
      this.#link.call('migrations.preflight', { uuid, from: hostId }),
    );
  }

  async #each(which: 'toOne' | 'toAll', domains: readonly DomainRef[], work: (domain: DomainRef) => Promise<unknown>) {
    this.#asked[which] += 1;
    const asked = this.#asked[which];
    const answers = this[which] as SvelteMap<string, Answer<unknown>>;
    const keys = new Set(domains.map(keyOf));
    for (const key of [...answers.keys()]) if (!keys.has(key)) answers.delete(key);
    for (const key of keys) answers.set(key, 'asking');
    const waiting = [...domains];
    const worker = async () => {
      for (let domain = waiting.shift(); domain && asked === this.#asked[which]; domain = waiting.shift()) {
        const answer = await work(domain).catch((thrown: unknown) => ({ err: toErr(thrown) }));
        if (asked === this.#asked[which]) answers.set(keyOf(domain), answer);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  }
}

const keyOf = ({ hostId, uuid }: DomainRef) => `${hostId}/${uuid}`;

/** How an answer stands, and the first thing to be said about it. */
export function standing(answer: Answer<Preflight> | undefined): {
  level: 'ok' | 'warn' | 'blocked' | 'checking';
  reason: string | null;
} {
  if (answer === undefined || answer === 'asking') return { level: 'checking', reason: null };
  if ('err' in answer) return { level: 'blocked', reason: answer.err.message };
  const wanted = { ok: null, warn: 'warn', blocked: 'error' }[answer.verdict];
  return { level: answer.verdict, reason: answer.checks.find((check) => check.level === wanted)?.message ?? null };
}
