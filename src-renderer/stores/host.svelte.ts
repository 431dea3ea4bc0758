// One host as the window knows it, with the VMs that stand on it.
import type { HostView } from '../../contract/model.ts';
import type { Domain } from './domain.svelte.ts';
import { History } from './history.ts';
import { byKey, orderKey } from './order.ts';

/** What changes every few seconds. */
export interface HostLoad {
  cpuPercent: number | null;
  freeMemoryKiB: number | null;
}

export class Host {
  readonly id: string;
  view: HostView = $state.raw(undefined as never);
  load: HostLoad = $state.raw({ cpuPercent: null, freeMemoryKiB: null });
  /** Its VMs by name. */
  readonly domains: readonly Domain[] = $derived.by(() => this.#sorted());
  readonly #members = new Set<Domain>();
  #shape = $state(0);
  #history: History | null = null;

  constructor(view: HostView) {
    this.id = view.id;
    this.take(view);
  }

  /** Its VMs can be acted on. */
  get online(): boolean {
    return this.view.state === 'online';
  }

  /** Its label's place among others. */
  readonly order: string = $derived(orderKey(this.view.label));
  /** What search looks through, in lower case. */
  readonly haystack: string = $derived(
    `${this.view.label}\n${this.view.uri}\n${this.view.info?.hostname ?? ''}`.toLowerCase(),
  );

  /** In lower case; empty where it is in none. */
  readonly group: string = $derived((this.view.group ?? '').toLowerCase());

  take(view: HostView): void {
    this.view = view;
    this.load = {
      cpuPercent: view.info?.cpuPercent ?? null,
      freeMemoryKiB: view.info?.freeMemoryKiB ?? null,
    };
  }

  takeLoad(load: HostLoad): void {
    this.load = load;
    this.#history ??= new History(2);
    this.#history.push(load.cpuPercent ?? NaN, this.memoryPercent ?? NaN);
  }

  /** Percent, the oldest first. */
  get cpuTrend(): Float32Array {
    return this.#trend(0);
  }
  /** Percent, the oldest first. */
  get memoryTrend(): Float32Array {
    return this.#trend(1);
  }

  /** Of its memory, in percent; null while it is not known. */
  get memoryPercent(): number | null {
    const total = this.view.info?.memoryKiB;
    const free = this.load.freeMemoryKiB;
    return total && free !== null ? 100 * (1 - free / total) : null;
  }

  add(domain: Domain): void {
    this.#members.add(domain);
    this.#shape += 1;
  }

  remove(domain: Domain): void {
    if (this.#members.delete(domain)) this.#shape += 1;
  }

  /** A VM of it was renamed. */
  reorder(): void {
    this.#shape += 1;
  }

  #trend(figure: number): Float32Array {
    // Reading the load is what makes whoever draws the trend draw it again.
    return this.load && this.#history ? this.#history.of(figure) : new Float32Array(0);
  }

  #sorted(): Domain[] {
    void this.#shape;
    return [...this.#members].sort((a, b) => byKey(a.order, b.order));
  }
}
