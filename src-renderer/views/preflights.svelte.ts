// What both hosts say to moving some VMs to one: asked few at a time; only the answers to the last asking count.
import { SvelteMap } from 'svelte/reactivity';
import { toErr, type Err } from '../../contract/failure.ts';
import type { Link } from '../../contract/link.ts';
import type { DomainRef, HostId, Preflight } from '../../contract/model.ts';
import type { Chosen } from '../words/migration-ahead.ts';

export type Answer = Preflight | { err: Err } | 'asking';

const atOnce = 4;

export class Preflights {
  /** By VM (`keyOf`). */
  readonly answers = new SvelteMap<string, Answer>();
  readonly #link: Link;
  #asked = 0;

  constructor(link: Link) {
    this.#link = link;
  }

  /** Whether these VMs can go to this host with these options. */
  async ask(domains: readonly DomainRef[], to: HostId, { force: _overrides, ...options }: Chosen): Promise<void> {
    this.#asked += 1;
    const asked = this.#asked;
    this.answers.clear();
    for (const domain of domains) this.answers.set(keyOf(domain), 'asking');
    const waiting = [...domains];
    const work = async () => {
      for (let domain = waiting.shift(); domain && asked === this.#asked; domain = waiting.shift()) {
        const { hostId, uuid } = domain;
        const answer = await this.#link
          .call('migrations.preflight', { uuid, from: hostId, to, options })
          .catch((thrown: unknown) => ({ err: toErr(thrown) }));
        // With `to` it is the answer for that one host.
        if (asked === this.#asked) this.answers.set(keyOf(domain), answer as Answer);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  }
}

const keyOf = ({ hostId, uuid }: DomainRef) => `${hostId}/${uuid}`;

/** How an answer stands, and the first thing to be said about it. */
export function standing(answer: Answer | undefined): {
  level: 'ok' | 'warn' | 'blocked' | 'checking';
  reason: string | null;
} {
  if (answer === undefined || answer === 'asking') return { level: 'checking', reason: null };
  if ('err' in answer) return { level: 'blocked', reason: answer.err.message };
  const wanted = { ok: null, warn: 'warn', blocked: 'error' }[answer.verdict];
  return { level: answer.verdict, reason: answer.checks.find((check) => check.level === wanted)?.message ?? null };
}
