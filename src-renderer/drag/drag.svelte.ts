// What is being carried, by mouse or by keyboard, and over which host it is.
import type { DomainView, HostId, HostView } from '../../contract/model.ts';
import { carried, dragRule as words } from '../words/drag.ts';
import { Verdicts, type Surroundings } from './verdicts.svelte.ts';
import type { Verdict } from './rule.ts';

export interface Ground extends Surroundings {
  /** What was carried was put on a host that did not refuse it. */
  drop(domains: readonly DomainView[], to: HostId): void;
  /** The host where it was put refused it. */
  refused(reason: string): void;
}

export class Drag {
  by: 'mouse' | 'keyboard' = $state('mouse');
  /** The host under the mouse, or the one chosen by keyboard. */
  over = $state<HostId | null>(null);
  #verdicts: Verdicts | null = $state.raw(null);
  readonly #ground: Ground;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  get active(): boolean {
    return this.#verdicts !== null;
  }

  /** What is carried; empty while nothing is. */
  get domains(): readonly DomainView[] {
    return this.#verdicts?.domains ?? [];
  }

  /** What is carried, in words. */
  get what(): string {
    return carried(this.domains.map(({ name }) => name));
  }

  start(domains: readonly DomainView[], by: 'mouse' | 'keyboard'): void {
    if (domains.length === 0) return;
    this.by = by;
    this.over = null;
    this.#verdicts = new Verdicts(domains, this.#ground);
    this.#verdicts.ask();
  }

  /** Null while nothing is carried. */
  verdict(host: HostView): Verdict | null {
    return this.#verdicts?.of(host) ?? null;
  }

  /** Puts it down on a host, which may refuse it. */
  drop(to: HostId): void {
    const host = this.#ground.host(to);
    const verdict = host ? this.verdict(host) : null;
    const coming = this.domains.filter((domain) => domain.hostId !== to);
    this.end();
    if (verdict === null || verdict.level === 'here') return;
    if (verdict.level === 'blocked') this.#ground.refused(verdict.reason ?? words.refused);
    else this.#ground.drop(coming, to);
  }

  end(): void {
    this.#verdicts = null;
    this.over = null;
  }
}
