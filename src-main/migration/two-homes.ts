// A VM that runs on two hosts at once destroys its disks. Watches the fleet for one, and says so once it is sure.
import type { Delta } from '../../contract/events.ts';
import type { Uuid } from '../../contract/model.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Host } from '../fleet/host.ts';
import { look } from './recovery/look.ts';

export interface TwoHomesOptions {
  fleet: Fleet;
  tell: (delta: Delta) => void;
  clock: { sleep(ms: number): Promise<unknown> };
}

/** At a switch-over the two hosts' events may cross: only what is seen again, and again, is an alarm. */
const againMs = 1_000;
const times = 2;

export class TwoHomes {
  readonly #options: TwoHomesOptions;
  /** Looked at now, or told: until it is in order again. */
  readonly #known = new Set<Uuid>();

  constructor(options: TwoHomesOptions) {
    this.#options = options;
  }

  /** Something was told of a domain: cheap for all that have one home. */
  seen(delta: Delta): void {
    if (delta.event !== 'domain') return;
    const { uuid } = delta.data;
    const running = this.#runningOn(uuid);
    if (running.length < 2) this.#known.delete(uuid);
    else if (!this.#known.has(uuid)) {
      this.#known.add(uuid);
      void this.#makeSure(uuid);
    }
  }

  #runningOn(uuid: Uuid): Host[] {
    return this.#options.fleet
      .homes(uuid)
      .filter((host) => host.state === 'online' && host.domains.get(uuid)?.state === 'running');
  }

  async #makeSure(uuid: Uuid): Promise<void> {
    const { tell, clock } = this.#options;
    let sure: Host[] = [];
    for (let time = 0; time < times; time += 1) {
      await clock.sleep(againMs);
      const hosts = this.#runningOn(uuid);
      const looks = await Promise.all(hosts.map((host) => look(host, uuid)));
      sure = hosts.filter((_, at) => looks[at]?.seen.at === 'running');
      if (sure.length < 2) {
        this.#known.delete(uuid);
        return;
      }
    }
    const [first] = sure;
    const name = first?.domains.get(uuid)?.name ?? uuid;
    const where = sure.map(({ label }) => label).join(' and ');
    tell({
      event: 'notice',
      data: {
        level: 'error',
        message: `${name} runs on ${where} at once, under one UUID: if both write to the same disks, they destroy them. Force off the copy that is wrong now; Drover touches neither, and starts no other.`,
        ...(first && { hostId: first.id }),
        at: new Date().toISOString(),
      },
    });
  }
}
