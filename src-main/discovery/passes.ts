// Which ports each pass calls: everything, only newcomers, only those without libvirt, only libvirt hosts.
import type { ScanPass } from '../../contract/model.ts';
import type { Target } from './dial.ts';
import { SSH_PORT, type Neighbours } from './neighbours.ts';
import type { Range } from './range.ts';

export interface Plan {
  targets: Iterable<Target>;
  /** How many ports; connections may be more, where silent ones are called again. */
  total: number;
  /** How many of them answered before, so that they are likely to again. */
  answering: number;
  /** Why there is nothing to call; null where there is. */
  note: string | null;
}

/**
 * @param ports null: where a host is known by a port, that one; else SSH's
 * @param away the pass over known hosts leaves out those that the fleet is connected to: that they are there is known
 */
export function planPass(
  pass: ScanPass,
  range: Range,
  ports: readonly number[] | null,
  known: Neighbours,
  away = false,
): Plan {
  switch (pass) {
    case 'full':
      return plan(
        across(range.addresses.bind(range), ports),
        range.count * (ports?.length ?? 1),
        countOf(known.answeredIn(range)) * (ports?.length ?? 1),
        '',
      );
    case 'silent': {
      const answered = known.answered();
      const silent = function* () {
        for (const address of range.addresses()) if (!answered(address)) yield address;
      };
      const count = range.count - countOf(known.answeredIn(range));
      return plan(
        across(silent, ports),
        count * (ports?.length ?? 1),
        0,
        `Every address of ${range.text} has answered before.`,
      );
    }
    case 'non-libvirt': {
      const libvirt = new Set(known.libvirtIn(range).map(({ address }) => address));
      const portsOf = known.portsOf();
      const targets = function* () {
        for (const address of known.answeredIn(range)) {
          if (!libvirt.has(address)) for (const port of ports ?? portsOf(address)) yield { address, port };
        }
      };
      const total = countOf(targets());
      return plan(
        { [Symbol.iterator]: targets },
        total,
        total,
        `No host without libvirt is known in ${range.text}; the full pass finds them.`,
      );
    }
    case 'known': {
      const hosts = known.libvirtIn(range, away);
      const addresses = [...new Set(hosts.map(({ address }) => address))];
      const targets = ports ? [...across(() => addresses, ports)] : hosts;
      return plan(
        targets,
        targets.length,
        targets.length,
        away && known.libvirtIn(range).length > 0
          ? 'Every libvirt host that is known is connected.'
          : `No libvirt host is known in ${range.text}; the full pass finds them, once one is connected to or identified.`,
      );
    }
  }
}

function plan(targets: Iterable<Target>, total: number, answering: number, nothing: string): Plan {
  return { targets, total, answering, note: total === 0 ? nothing : null };
}

/** One port after the other over all addresses, so that no host is called twice in a moment. */
function across(addresses: () => Iterable<string>, ports: readonly number[] | null): Iterable<Target> {
  return {
    *[Symbol.iterator]() {
      for (const port of ports ?? [SSH_PORT]) for (const address of addresses()) yield { address, port };
    },
  };
}

function countOf(items: Iterable<unknown>): number {
  let count = 0;
  for (const _ of items) count += 1;
  return count;
}
