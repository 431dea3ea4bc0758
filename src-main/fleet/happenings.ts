// What happened to each VM lately, as libvirt told it. libvirt itself keeps no such list.
import type { DomainHappening, Uuid } from '../../contract/model.ts';

/** Of one VM. */
export const mostHappenings = 100;
/** Of all VMs together: then those of the VM that nothing happened to for longest are forgotten. */
const mostAtAll = 20_000;

export class Happenings {
  /** The VM that something happened to last stands last. */
  readonly #of = new Map<Uuid, DomainHappening[]>();
  #count = 0;

  add(uuid: Uuid, happening: DomainHappening): void {
    const list = this.#of.get(uuid) ?? [];
    this.#of.delete(uuid);
    this.#of.set(uuid, list);
    list.push(happening);
    this.#count += 1;
    if (list.length > mostHappenings) {
      list.shift();
      this.#count -= 1;
    }
    for (const oldest of this.#of.keys()) {
      if (this.#count <= mostAtAll) break;
      this.forget(oldest);
    }
  }

  /** The newest first. */
  of(uuid: Uuid): DomainHappening[] {
    return (this.#of.get(uuid) ?? []).toReversed();
  }

  forget(uuid: Uuid): void {
    this.#count -= this.#of.get(uuid)?.length ?? 0;
    this.#of.delete(uuid);
  }
}
