// The commands that show Drover itself: every change as it happens, and whether it is up.
import { count, duration } from '../../src-renderer/words/format.ts';
import type { Command, Context } from './command.ts';
import { printable } from './output.ts';

async function events(context: Context): Promise<void> {
  const { args, out } = context;
  const core = await context.core();
  const wanted = args.words;
  const stop = new Promise<void>((resolve) => context.onInterrupt(resolve));
  const off = core.on('deltas', ({ deltas }) => {
    for (const delta of deltas) {
      if (wanted.length > 0 ? !wanted.includes(delta.event) : delta.event === 'stats' && !args.flag('stats')) continue;
      out.step(delta, printable(`${delta.event} ${JSON.stringify(delta.data)}`));
    }
  });
  await stop;
  off();
}

export const eventCommands: Command[] = [
  {
    name: 'diagnostics',
    group: 'Drover itself',
    does: 'Print what can be sent to who helps: versions, states, errors, without names and secrets',
    args: [],
    options: {},
    json: 'Diagnostics',
    run: async ({ core, out }) => {
      const found = await (await core()).call('fleet.diagnostics', {});
      out.result(found, () => JSON.stringify(found, null, 1));
    },
  },
  {
    name: 'events',
    group: 'Drover itself',
    does: 'Print every change as it happens, until Ctrl+C',
    long: true,
    args: [
      {
        name: 'KIND',
        does: 'only these',
        optional: true,
        many: true,
        choices: ['host', 'domain', 'stats', 'migration', 'scan', 'notice'],
      },
    ],
    options: { stats: { does: 'statistics too, which are many' } },
    json: 'NumberedDelta, a line for each',
    run: events,
  },
  {
    name: 'status',
    group: 'Drover itself',
    does: 'Say whether a Drover is running, and how it does',
    args: [],
    options: {},
    json: 'Health',
    run: async ({ core, out }) => {
      const drover = await core();
      const health = await drover.call('fleet.health', {});
      out.result(health, () =>
        drover.own
          ? `No Drover is running on this data folder; it has ${count(health.hosts, 'host', 'hosts')}.`
          : `Drover ${health.version} is up for ${duration(health.uptimeMs)}: ${count(health.hosts, 'host', 'hosts')}, ${count(health.domains, 'VM', 'VMs')}.`,
      );
    },
  },
];
