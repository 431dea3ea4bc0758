// Procedures that libvirt's own programs still call, and Drover's client does not.
import { procedures } from '../src-main/libvirt/index.ts';
import type { AnyCodec, Dom } from '../src-main/libvirt/index.ts';
import { dom } from '../src-main/libvirt/types.ts';
import { i32, list, opt, size, str, struct, uuid } from '../src-main/libvirt/xdr.ts';
import type { At } from './calls/handlers.ts';
import { readDefinition } from './definition.ts';
import { define, undefine } from './calls/definitions.ts';
import { lifecycle, stop, mustRun } from './lifecycle.ts';
import { refuse } from './refusal.ts';

interface Legacy {
  args: AnyCodec;
  result: AnyCodec;
  run: (args: never, at: At) => unknown;
}

interface OnDom {
  dom: Dom;
}

const none = struct({});
const onDom = struct({ dom });
/** A C `char` array of a length that varies: every character takes a whole word. */
const chars = list(i32, 4_096);
const charsOf = (text: string) => [...Buffer.from(`${text}\0`)];

const on = (run: (args: OnDom, at: At) => unknown, result: AnyCodec = none): Legacy => ({ args: onDom, result, run });

export const legacy = new Map<number, Legacy>([
  [5, { args: struct({ type: opt(str) }), result: struct({ vcpus: i32 }), run: () => ({ vcpus: 255 }) }],
  [
    9,
    on(async ({ dom: ref }, { daemon, client }) => {
      await lifecycle.start(daemon, daemon.named(ref), 0, client);
      return {};
    }),
  ],
  [
    11,
    {
      args: struct({ xml: str }),
      result: struct({ dom }),
      run: ({ xml }: { xml: string }, { daemon }) => ({
        dom: define(daemon, readDefinition(xml, daemon.defaults)).ref,
      }),
    },
  ],
  [
    12,
    on(({ dom: ref }, { daemon }) => {
      const domain = daemon.named(ref);
      mustRun(domain);
      stop(daemon, domain, 'destroyed');
      return {};
    }),
  ],
  [
    17,
    on(({ dom: ref }, { daemon }) => ({ memory: daemon.named(ref).definition.memoryKiB }), struct({ memory: size })),
  ],
  [18, on(({ dom: ref }, { daemon }) => ({ vcpus: daemon.named(ref).definition.vcpus }), struct({ vcpus: i32 }))],
  [
    19,
    on(
      ({ dom: ref }, { daemon }) => {
        daemon.named(ref);
        return { type: 'hvm' };
      },
      struct({ type: str }),
    ),
  ],
  [
    33,
    on(async ({ dom: ref }, { daemon }) => {
      await lifecycle.shutdown(daemon, daemon.named(ref));
      return {};
    }),
  ],
  [
    35,
    on(({ dom: ref }, { daemon }) => {
      undefine(daemon, daemon.named(ref), 0);
      return {};
    }),
  ],
  [
    37,
    {
      args: struct({ max: i32 }),
      result: struct({ ids: list(i32, 16_384) }),
      run: ({ max }: { max: number }, { daemon }) => ({
        ids: [...daemon.domains.values()]
          .filter(({ active }) => active)
          .map(({ id }) => id)
          .slice(0, max),
      }),
    },
  ],
  [
    47,
    {
      args: struct({ uuid }),
      result: procedures.network_lookup_by_name.result,
      run: (args: { uuid: string }, { daemon }) => {
        const found = daemon.networks.find((each) => each.uuid === args.uuid);
        if (!found)
          throw refuse.network('no_network', `Network not found: no network with matching uuid '${args.uuid}'`);
        return { net: { name: found.name, uuid: found.uuid } };
      },
    },
  ],
  [
    51,
    {
      args: none,
      result: struct({ count: i32 }),
      run: (_args: unknown, { daemon }) => ({
        count: [...daemon.domains.values()].filter(({ active }) => active).length,
      }),
    },
  ],
  [
    121,
    on(
      ({ dom: ref }, { daemon }) => {
        daemon.named(ref);
        return { label: charsOf('+0:+0'), enforcing: 0 };
      },
      struct({ label: chars, enforcing: i32 }),
    ),
  ],
  [
    155,
    {
      args: procedures.storage_pool_is_active.args,
      result: struct({ persistent: i32 }),
      run: () => ({ persistent: 1 }),
    },
  ],
  [
    122,
    {
      args: none,
      result: struct({ model: chars, doi: chars }),
      run: () => ({ model: charsOf('none'), doi: charsOf('0') }),
    },
  ],
]);
