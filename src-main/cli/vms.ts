// The commands for VMs: list, lifecycle, XML.
import { Failure, toErr } from '../../contract/failure.ts';
import { domainStates, type DomainView, type HostView, type LifecycleAction } from '../../contract/model.ts';
import { memory, percent } from '../../src-renderer/words/format.ts';
import { domainWord } from '../../src-renderer/words/states.ts';
import { UsageError, type Argument, type Command, type Context } from './command.ts';
import { exitOf } from './exit-codes.ts';
import { findHost, findVm, settledHosts } from './find.ts';
import { explainAbsent } from './hosts.ts';
import { printable, table } from './output.ts';

export const aVm: Argument = { name: 'VM', does: 'a VM by its name or UUID, or as HOST/NAME', completes: 'vm' };

const wait = { wait: { value: 'SECONDS', does: 'how long to wait for hosts that are connecting (15)' } } as const;

function row(domain: DomainView, host: HostView | undefined): string[] {
  return [
    domain.name,
    host?.label ?? domain.hostId,
    domainWord(domain).word,
    domain.stats ? percent(domain.stats.cpuPercent) : '',
    String(domain.vcpus),
    memory(domain.memoryKiB),
    domain.tags.join(','),
    domain.job ? `migrating, ${percent(domain.job.percent)}` : '',
  ];
}

async function list(context: Context): Promise<void> {
  const { args, out, waitMs } = context;
  const core = await context.core();
  const state = args.text('state');
  const tag = args.text('tag');
  const only = args.text('host') === undefined ? null : await findHost(core, args.text('host') ?? '');
  const hosts = await settledHosts(core, waitMs, only ? ({ id }) => id === only.id : undefined);
  const domains = await core.call('domains.list', {
    ...(only && { host: only.id }),
    ...(state !== undefined && { state: state as DomainView['state'] }),
    ...(tag !== undefined && { tag }),
    ...(args.word(0) && { q: args.word(0) }),
  });
  const of = (id: string) => hosts.find((host) => host.id === id);
  const sorted = [...domains].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  out.result(sorted, () =>
    domains.length === 0
      ? 'No VMs.'
      : table(
          ['VM', 'HOST', 'STATE', 'CPU', 'VCPUS', 'MEMORY', 'TAGS', ''],
          sorted.map((domain) => row(domain, of(domain.hostId))),
        ),
  );
  if (!out.json) explainAbsent(context, hosts);
}

/** One after the other; those that fail are told and the others go on. */
async function act(context: Context, action: LifecycleAction): Promise<number> {
  const { args, out, waitMs } = context;
  const core = await context.core();
  let code = 0;
  for (const name of args.words) {
    try {
      const { domain, host } = await findVm(core, name, waitMs);
      const after = await core.call('domains.act', { hostId: host.id, uuid: domain.uuid, action });
      out.step(after, `${printable(after.name)} on ${printable(host.label)}: ${domainWord(after).word}`);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      out.failure(toErr(error));
      code ||= exitOf(error.code);
    }
  }
  return code;
}

const named = (list: string | undefined) =>
  (list ?? '')
    .split(',')
    .map((tag) => tag.trim())
    .filter(Boolean);

const lifecycle: Record<LifecycleAction, string> = {
  start: 'Run VMs; one that was saved goes on where it was',
  shutdown: 'Shut VMs down, by asking their guests',
  reboot: 'Reboot VMs, by asking their guests',
  reset: 'Force a reset of VMs, as by their button',
  destroy: 'Force VMs off, as by pulling the plug',
  suspend: 'Pause VMs',
  resume: 'Resume VMs that are paused',
  managedsave: 'Save VMs to disk and stop them; start goes on from there',
};

export const vmCommands: Command[] = [
  {
    name: 'vms',
    group: 'VMs',
    does: 'List the VMs of all hosts',
    args: [{ name: 'TEXT', does: 'part of the name, or the beginning of the UUID', optional: true }],
    options: {
      host: { value: 'HOST', does: 'only of this host', completes: 'host' },
      state: { value: 'STATE', does: 'only in this state', choices: domainStates },
      tag: { value: 'TAG', does: 'only with this tag' },
      ...wait,
    },
    examples: [
      ['drover vms web', ''],
      ['drover vms --state running --json | jq length', 'how many run'],
      ['drover vms --tag critical', ''],
    ],
    json: 'DomainView[]',
    run: list,
  },
  ...Object.entries(lifecycle).map(([action, does]): Command => ({
    name: action,
    group: 'VMs',
    does,
    details: ['Ends when libvirt has taken it. Of several, those that fail are told, and the others go on.'],
    args: [{ ...aVm, many: true }],
    options: wait,
    json: 'DomainView, a line for each VM',
    run: (context) => act(context, action as LifecycleAction),
  })),
  {
    name: 'xml',
    group: 'VMs',
    does: 'Print a VM’s XML',
    args: [aVm],
    options: { inactive: { does: 'the persistent one instead of the live one' }, ...wait },
    json: '{ xml }',
    run: async ({ core, args, out, waitMs }) => {
      const drover = await core();
      const { domain, host } = await findVm(drover, args.word(0), waitMs);
      const said = await drover.call('domains.xml', {
        hostId: host.id,
        uuid: domain.uuid,
        inactive: args.flag('inactive'),
      });
      out.result(said, () => said.xml.trimEnd());
    },
  },
  {
    name: 'tag',
    group: 'VMs',
    does: 'Show the tags of a VM, add some, take some away',
    details: [
      'Tags stand in the VM’s definition on its host: they go along when it moves, and everybody sees the same ones.',
    ],
    args: [aVm],
    options: {
      add: { value: 'TAGS', does: 'add these; several with commas' },
      remove: { value: 'TAGS', does: 'take these away; several with commas' },
      ...wait,
    },
    examples: [
      ['drover tag web01', 'which it has'],
      ['drover tag web01 --add prod,critical --remove staging', ''],
    ],
    json: 'DomainView',
    run: async ({ core, args, out, waitMs }) => {
      const drover = await core();
      const { domain, host } = await findVm(drover, args.word(0), waitMs);
      const [add, remove] = [named(args.text('add')), named(args.text('remove'))];
      const lower = new Set([...add, ...remove].map((tag) => tag.toLowerCase()));
      const tags = [...domain.tags.filter((tag) => !lower.has(tag.toLowerCase())), ...add];
      const after =
        lower.size === 0 ? domain : await drover.call('domains.update', { hostId: host.id, uuid: domain.uuid, tags });
      out.result(after, () => printable(after.tags.join(' ')) || `${printable(after.name)} has no tags.`);
    },
  },
  {
    name: 'autostart',
    group: 'VMs',
    does: 'Say whether a VM starts with its host',
    args: [aVm, { name: 'on|off', does: 'whether it does', choices: ['on', 'off'] }],
    options: wait,
    json: 'DomainView',
    run: async ({ core, args, out, waitMs }) => {
      if (!['on', 'off'].includes(args.word(1))) throw new UsageError(`Autostart is on or off, not “${args.word(1)}”.`);
      const drover = await core();
      const { domain, host } = await findVm(drover, args.word(0), waitMs);
      const after = await drover.call('domains.update', {
        hostId: host.id,
        uuid: domain.uuid,
        autostart: args.word(1) === 'on',
      });
      out.result(
        after,
        () =>
          `${printable(after.name)} ${after.autostart ? 'starts' : 'does not start'} with ${printable(host.label)}.`,
      );
    },
  },
];
