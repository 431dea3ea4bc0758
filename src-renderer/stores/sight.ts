// Tells the main side which hosts the window shows, so that their figures come often, however large the fleet.
import type { Link } from '../../contract/link.ts';
import type { HostId } from '../../contract/model.ts';

/** What the call takes. */
const most = 100;

export class Sight {
  readonly #link: Link;
  readonly #later: (tell: () => void) => void;
  readonly #parts = new Map<string, readonly HostId[]>();
  #waits = false;
  #told = '';

  /** @param later waits until scrolling has come to rest for a moment */
  constructor(link: Link, later: (tell: () => void) => void = (tell) => void setTimeout(tell, 250)) {
    this.#link = link;
    this.#later = later;
  }

  /** Begins; the answer ends it. */
  start(): () => void {
    // Who comes back is a stranger to the main side.
    return this.#link.on('up', (up) => {
      this.#told = '';
      if (up) this.#soon();
    });
  }

  /** What one part of the window shows now; nothing when it goes. */
  show(part: string, hosts: readonly HostId[]): void {
    if (hosts.length > 0) this.#parts.set(part, hosts);
    else this.#parts.delete(part);
    this.#soon();
  }

  #soon(): void {
    if (this.#waits) return;
    this.#waits = true;
    this.#later(() => {
      this.#waits = false;
      const hosts = [...new Set([...this.#parts.values()].flat())].slice(0, most);
      const text = [...hosts].sort().join();
      if (text === this.#told) return;
      this.#told = text;
      // It only makes figures come sooner.
      void this.#link.call('fleet.look', { hosts }).catch(() => {});
    });
  }
}
