// The commands that move VMs: check, migrate, evacuate, and what can be done to a migration.
import { Failure } from '../../contract/failure.ts';
import type { EvacuationPlan, MigrationView, Preflight } from '../../contract/model.ts';
import { moment, percent } from '../../src-renderer/words/format.ts';
import { jobWord } from '../../src-renderer/words/states.ts';
import { UsageError, type Command, type Context } from './command.ts';
import type { Core } from './core.ts';
import { exitOfMigration } from './exit-codes.ts';
import { findHost, findVm, isOff, onlineHost, settledHosts } from './find.ts';
import { aHost } from './hosts.ts';
import { givenOptions, migrationOptions } from './migration-options.ts';
import { printable, table } from './output.ts';
import { bar, ending, follow, isOver, Lines } from './progress.ts';
import { aVm } from './vms.ts';

const wait = { wait: { value: 'SECONDS', does: 'how long to wait for hosts that are connecting (15)' } } as const;

async function labels(core: Core): Promise<(id: string) => string> {
  const known = new Map((await core.call('hosts.list', {})).map(({ id, label }) => [id, label]));
  return (id) => known.get(id) ?? id;
}

const marks = { ok: 'ok  ', warn: 'warn', error: 'NO  ' } as const;
const verdicts: Record<Preflight['verdict'], string> = {
  ok: 'can take it',
  warn: 'can take it, but read this',
  blocked: 'cannot take it',
};

function checkLines({ checks }: Preflight): string[] {
  return checks.map(({ level, message, fix }) => printable(`  ${marks[level]}  ${message}${fix ? ` ${fix}` : ''}`));
}

async function check(context: Context): Promise<number> {
  const { args, out, waitMs } = context;
  const core = await context.core();
  const { domain, host } = await findVm(core, args.word(0), waitMs);
  const route = { uuid: domain.uuid, from: host.id, options: givenOptions(args) };
  if (args.words.length > 1) {
    const to = await onlineHost(core, args.word(1), waitMs);
    const preflight = (await core.call('migrations.preflight', { ...route, to: to.id })) as Preflight;
    out.result(preflight, () => [printable(`${to.label} ${verdicts[preflight.verdict]}:`), ...checkLines(preflight)]);
    return preflight.verdict === 'blocked' ? 3 : 0;
  }
  await settledHosts(core, waitMs);
  const all = (await core.call('migrations.preflight', route)) as Record<string, Preflight>;
  const label = await labels(core);
  out.result(all, () =>
    Object.entries(all).flatMap(([id, preflight]) => [
      printable(`${label(id)} ${verdicts[preflight.verdict]}`),
      ...checkLines({ ...preflight, checks: preflight.checks.filter(({ level }) => level !== 'ok') }),
    ]),
  );
  return Object.values(all).some(({ verdict }) => verdict !== 'blocked') ? 0 : 3;
}

async function migrate(context: Context): Promise<number> {
  const { args, out, waitMs } = context;
  const core = await context.core();
  if (args.flag('detach') && core.own) {
    throw new UsageError('--detach needs a running Drover that goes on with it: “drover serve”.');
  }
  const { domain, host } = await findVm(core, args.word(0), waitMs);
  const to = await onlineHost(core, args.word(1), waitMs);
  const label = await labels(core);
  const started = await core
    .call('migrations.start', { uuid: domain.uuid, from: host.id, to: to.id, options: givenOptions(args) })
    .catch((error: unknown) => {
      if (error instanceof Failure && error.code === 'refused' && !out.json) {
        const checks = (error.detail?.['checks'] ?? []) as Preflight['checks'];
        for (const line of checkLines({ verdict: 'blocked', checks: checks.filter(({ level }) => level !== 'ok') }))
          out.note(line);
      }
      throw error;
    });
  for (const notice of out.json ? [] : (started.notices ?? [])) out.note(`${started.name}: ${notice}`);
  if (args.flag('detach')) {
    out.result(
      started,
      () => `${printable(started.name)}: ${jobWord(started.state).word}. Its migration is ${started.id}.`,
    );
    return 0;
  }
  context.onInterrupt(() => {
    out.note(`drover: cancelling the migration of ${started.name}; Ctrl+C once more leaves it as it is`);
    core.call('migrations.cancel', { id: started.id }).catch((error: Error) => out.note(`drover: ${error.message}`));
  });
  const ended = await follow(core, started.id, out, label);
  return tell(context, ended, label);
}

function tell({ out }: Context, ended: MigrationView, label: (id: string) => string): number {
  out.step(ended, null);
  if (!out.json) for (const line of ending(ended, label)) out.result(null, () => line);
  return exitOfMigration(ended);
}

async function watch(context: Context): Promise<number> {
  const core = await context.core();
  const label = await labels(core);
  return tell(context, await follow(core, context.args.word(0), context.out, label), label);
}

async function list({ core, out }: Context): Promise<void> {
  const drover = await core();
  const migrations = await drover.call('migrations.list', {});
  const label = await labels(drover);
  out.result(migrations, () =>
    migrations.length === 0
      ? 'No migrations.'
      : table(
          ['VM', 'FROM', 'TO', 'STATE', '', 'STARTED', 'ID'],
          migrations.map(({ name, from, to, state, progress, startedAt, id }) => [
            name,
            label(from),
            label(to),
            jobWord(state).word,
            state === 'running' ? percent(progress.percent) : '',
            moment(startedAt),
            id,
          ]),
        ),
  );
}

function planLines({ plan, stays }: EvacuationPlan, label: (id: string) => string): string[] {
  return [
    ...(plan.length > 0
      ? table(
          ['VM', 'TO', 'BECAUSE'],
          plan.map(({ name, to, reason }) => [name, label(to), reason]),
        )
      : ['No VM can be moved.']),
    ...stays.map(({ name, reason }) => printable(`stays: ${name}: ${reason}`)),
  ];
}

async function evacuate(context: Context): Promise<number> {
  const { args, out, waitMs } = context;
  const core = await context.core();
  const from = await onlineHost(core, args.word(0), waitMs);
  await settledHosts(core, waitMs);
  const to = args.text('to')?.split(',').filter(Boolean);
  const dryRun = args.flag('dry-run');
  const label = await labels(core);
  const moves = new Map<string, MigrationView>();
  const lines = new Map<string, Lines>();
  const pending = new Set<string>();
  let refused = 0;
  let planned = false;
  let done: () => void = () => {};
  const over = new Promise<void>((resolve) => (done = resolve));
  const ended = () => [...moves.values()].filter(isOver);
  /** As Drover itself decides: after one that is not safely over, no more is begun. */
  const halted = () => ended().some(({ state, verdict }) => state !== 'completed' || verdict?.runningOn.length !== 1);
  const look = () => {
    if (!planned || ended().length < moves.size) return;
    if (halted() || moves.size + refused >= pending.size) done();
  };
  const take = (move: MigrationView) => {
    if (
      move.from !== from.id ||
      (planned && !pending.has(move.uuid)) ||
      (moves.get(move.id) && isOver(moves.get(move.id) as MigrationView))
    )
      return;
    moves.set(move.id, move);
    if (!planned) return;
    const line = lines.get(move.id) ?? new Lines();
    lines.set(move.id, line);
    if (isOver(move)) {
      out.step(move, ending(move, label).join(' '));
    } else {
      out.step(move, out.watched ? null : line.next(move));
      out.live(`${ended().length} of ${pending.size} moved   ${bar(move, label)}`);
    }
    look();
  };
  const off = core.on('deltas', ({ deltas }) => {
    for (const { event, data } of deltas) {
      if (event === 'migration' && !('removed' in data)) take(data);
      if (event === 'notice' && data.hostId === from.id && data.level === 'warn') {
        out.note(`drover: ${data.message}`);
        if (!halted()) refused += 1;
        look();
      }
    }
  });
  try {
    // Of earlier ones off this host, nothing is to be told.
    const earlier = new Set((await core.call('migrations.list', {})).map(({ id }) => id));
    const plan = await core.call('hosts.evacuate', {
      id: from.id,
      ...(to && { to: await Promise.all(to.map(async (name) => (await findHost(core, name)).id)) }),
      ...(args.number('parallel') !== undefined && { parallel: args.number('parallel') }),
      options: givenOptions(args),
      dryRun,
    });
    if (dryRun) {
      out.result(plan, () => planLines(plan, label));
      const off = new Set((await core.call('hosts.domains', { id: from.id })).filter(isOff).map(({ uuid }) => uuid));
      return plan.stays.every(({ uuid }) => off.has(uuid)) ? 0 : 3;
    }
    out.step(plan, planLines(plan, label).join('\n'));
    for (const { uuid } of plan.plan) pending.add(uuid);
    for (const [id, move] of moves) if (earlier.has(id) || !pending.has(move.uuid)) moves.delete(id);
    planned = true;
    for (const move of [...moves.values(), ...plan.migrations]) take(move);
    context.onInterrupt(() => {
      out.note('drover: cancelling what moves; Ctrl+C once more leaves it as it is');
      for (const move of moves.values())
        if (!isOver(move)) core.call('migrations.cancel', { id: move.id }).catch(() => {});
    });
    if (pending.size > 0) {
      look();
      await over;
    }
    const all = [...moves.values()];
    const codes = all.map(exitOfMigration).filter((code) => code !== 0);
    const moved = all.filter(({ state }) => state === 'completed').length;
    if (!out.json) out.result(null, () => `${moved} of ${pending.size} moved off ${printable(from.label)}.`);
    return Math.max(0, ...codes, moved < pending.size ? 1 : 0);
  } finally {
    off();
  }
}

const aMigration = { name: 'MIGRATION', does: 'its id, as “drover migrations” lists it' } as const;

function simple(
  name: string,
  does: string,
  act: (core: Core, id: string, args: Context['args']) => Promise<MigrationView>,
  more: Pick<Command, 'args' | 'options'> = { args: [], options: {} },
): Command {
  return {
    name,
    group: 'Moving VMs',
    does,
    args: [aMigration, ...more.args],
    options: more.options,
    json: 'MigrationView',
    run: async ({ core, args, out }) => {
      const view = await act(await core(), args.word(0), args);
      out.result(view, () => printable(`${view.name}: ${jobWord(view.state).word}`));
    },
  };
}

export const migrationCommands: Command[] = [
  {
    name: 'check',
    group: 'Moving VMs',
    does: 'Say whether a VM can go to a host, and why not; without HOST, for every other host',
    args: [aVm, { ...aHost, optional: true }],
    options: { ...migrationOptions, ...wait },
    examples: [['drover check web01', 'where it could go']],
    json: 'Preflight; without HOST one for each host, by id',
    run: check,
  },
  {
    name: 'migrate',
    group: 'Moving VMs',
    does: 'Move a VM onto another host while it runs',
    long: true,
    details: [
      'Both hosts are asked first whether they can. On a terminal a bar shows how the memory goes over, in a pipe a line comes for each step. It ends when the migration has ended and both hosts have been asked where the VM is.',
      'Ctrl+C cancels it: the VM then runs on where it was. A running Drover (“drover serve”) goes on with it when this command is killed; where this command runs on its own, a p2p migration goes on without it, and any other is taken up by the next start.',
    ],
    args: [aVm, { name: 'HOST', does: 'where it is to go', completes: 'host' }],
    options: { ...migrationOptions, detach: { does: 'begin it and do not wait; needs a running Drover' }, ...wait },
    examples: [
      ['drover migrate web01 kvm2', ''],
      ['drover migrate kvm1/db01 kvm2 --storage copy --bandwidth 200', 'with its disks, at most 200 MiB a second'],
    ],
    json: 'MigrationView, a line for each change; the last one is how it ended',
    run: migrate,
  },
  {
    name: 'evacuate',
    group: 'Moving VMs',
    does: 'Move every running VM off a host',
    long: true,
    details: [
      'The plan is made by memory and load, and printed. After a migration that is not safely over, no more is begun. VMs that are shut off stay defined on the host.',
    ],
    args: [{ ...aHost, does: 'the host to empty' }],
    options: {
      to: { value: 'HOSTS', does: 'only to these, separated by commas', completes: 'host' },
      parallel: { value: 'N', does: 'how many at once (2)' },
      'dry-run': { does: 'only show the plan; ends with 3 where a running VM would have to stay' },
      ...migrationOptions,
      ...wait,
    },
    json: 'EvacuationPlan, then MigrationView, a line for each change',
    run: evacuate,
  },
  {
    name: 'migrations',
    group: 'Moving VMs',
    does: 'List all migrations, newest first',
    args: [],
    options: {},
    json: 'MigrationView[]',
    run: list,
  },
  {
    name: 'watch',
    group: 'Moving VMs',
    does: 'Follow a migration until it has ended',
    long: true,
    args: [aMigration],
    options: {},
    json: 'MigrationView, a line for each change',
    run: watch,
  },
  simple('cancel', 'Cancel a migration; the VM stays at its source', (core, id) =>
    core.call('migrations.cancel', { id }),
  ),
  simple('postcopy', 'Switch a migration to post-copy', (core, id) => core.call('migrations.postcopy', { id })),
  simple(
    'limit',
    'Change a migration’s limits while it runs',
    (core, id, args) =>
      core.call('migrations.update', {
        id,
        ...(args.number('bandwidth') !== undefined && { bandwidthMiBps: args.number('bandwidth') }),
        ...(args.number('max-downtime') !== undefined && { maxDowntimeMs: args.number('max-downtime') }),
      }),
    {
      args: [],
      options: {
        bandwidth: { value: 'MIB', does: 'at most so many MiB a second' },
        'max-downtime': { value: 'MS', does: 'how long the guest may stand still at the switch-over' },
      },
    },
  ),
  simple(
    'resolve',
    'Carry out what can be done about a migration that needs attention',
    (core, id, args) => core.call('migrations.resolve', { id, action: args.word(1) }),
    { args: [{ name: 'ACTION', does: 'one of those that it offers' }], options: {} },
  ),
];
