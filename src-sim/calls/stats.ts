// The bulk statistics.
import { statsFlags } from '../../src-main/libvirt/index.ts';
import { recordOf } from '../stats.ts';
import { fits } from './domains.ts';
import type { Handlers } from './handlers.ts';

/** Bits that are no filter of domains; some lie where a signed shift would trip. */
const filtersOf = (flags: number) => ((flags & ~(statsFlags.nowait | statsFlags.backing)) >>> 0) & 0x3fff;

export const statsCalls: Handlers = {
  connect_get_all_domain_stats: ({ domains, stats, flags }, { daemon }) => {
    const asked =
      domains.length > 0 ? domains.flatMap(({ uuid }) => daemon.domains.get(uuid) ?? []) : [...daemon.domains.values()];
    const filters = filtersOf(flags);
    const records = asked
      .filter((domain) => fits(domain, filters))
      .map((domain) => ({ dom: domain.ref, params: recordOf(daemon, domain, stats) }));
    return { records };
  },
};
