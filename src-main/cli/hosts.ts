// The commands for hosts: list, add, trust, connect, rename, forget.
import { Failure } from '../../contract/failure.ts';
import type { HostView } from '../../contract/model.ts';
import { count, memory, percent } from '../../src-renderer/words/format.ts';
import { hostWord } from '../../src-renderer/words/states.ts';
import { ask } from './ask.ts';
import type { Argument, Command, Context } from './command.ts';
import { absent, findHost, settledHosts } from './find.ts';
import { printable, table } from './output.ts';

export const aHost: Argument = { name: 'HOST', does: 'a host by its label, host name or id', completes: 'host' };

function row({ label, group, state, info, domains, uri }: HostView): string[] {
  const known = info !== null;
  return [
    label,
    hostWord(state).word,
    `${domains.running}/${domains.total}`,
    known && info.cpuPercent !== null ? percent(info.cpuPercent) : '',
    known ? `${memory(info.freeMemoryKiB)} of ${memory(info.memoryKiB)}` : '',
    known ? info.libvirtVersion : '',
    group ?? '',
    uri.replace(/\?.*/, ''),
  ];
}

const head = ['HOST', 'STATE', 'VMS', 'CPU', 'FREE MEMORY', 'LIBVIRT', 'GROUP', 'URI'];

/** A host that is not there is explained: what is missing is not simply left out. */
export function explainAbsent({ out }: Context, hosts: readonly HostView[]): void {
  for (const host of hosts) {
    if (host.state !== 'online' && host.state !== 'disconnected') out.note(`drover: ${absent(host).message}`);
  }
}

async function listHosts(context: Context): Promise<void> {
  const core = await context.core();
  const one = context.args.words.length > 0 ? await findHost(core, context.args.word(0)) : null;
  const hosts = await settledHosts(core, context.waitMs, one ? ({ id }) => id === one.id : undefined);
  context.out.result(one ? hosts[0] : hosts, () =>
    hosts.length === 0
      ? 'No hosts yet. Add one with “drover add URI”, or look for some with “drover scan”.'
      : table(head, hosts.map(row)),
  );
  if (!context.out.json) explainAbsent(context, hosts);
}

async function addHost(context: Context): Promise<void> {
  const { args, out } = context;
  const core = await context.core();
  const added = await core.call('hosts.add', {
    uri: args.word(0),
    label: args.text('label'),
    trust: args.text('trust'),
  });
  let host = await settled(context, added);
  if (host.state === 'untrusted' && host.hostKey && context.interactive) {
    const { algorithm, fingerprint, status } = host.hostKey;
    out.note(
      status === 'changed'
        ? `The key of ${host.label} has CHANGED: this may be another machine. It shows ${algorithm} ${fingerprint}.`
        : `${host.label} is not known yet. Its key is ${algorithm} ${fingerprint}.`,
    );
    const answer = await ask('Compare the fingerprint. Trust this key? [yes/No] ');
    if (answer === 'yes') {
      host = await settled(
        context,
        await core.call('hosts.trust', { id: host.id, fingerprint, replace: status === 'changed' }),
      );
    }
  }
  if (host.state === 'online') {
    const { libvirtVersion = '', hypervisor = '', hypervisorVersion = '' } = host.info ?? {};
    return out.result(
      host,
      () =>
        `${printable(host.label)}: ${hostWord('online').word}, libvirt ${libvirtVersion}, ${hypervisor} ${hypervisorVersion}, ${count(host.domains.total, 'VM', 'VMs')}`,
    );
  }
  const why = absent(host);
  const fingerprint = host.hostKey?.fingerprint;
  const way =
    host.state === 'untrusted' && fingerprint
      ? `If this is its key: drover trust ${host.label} ${fingerprint}`
      : `It stays in the list, and is tried again. “drover remove ${host.label}” forgets it.`;
  throw new Failure(why.code, `${why.message} ${way}`, why.detail);
}

async function settled({ core, waitMs }: Context, { id }: HostView): Promise<HostView> {
  const [host] = await settledHosts(await core(), waitMs, (one) => one.id === id);
  if (!host) throw new Failure('not-found', 'The host was removed meanwhile.');
  return host;
}

/** Says how it stands after what was done. */
function say({ out }: Context, host: HostView): void {
  out.result(host, () => `${printable(host.label)}: ${hostWord(host.state).word}`);
  if (host.state !== 'online' && host.error) throw absent(host);
}

const wait = { wait: { value: 'SECONDS', does: 'how long to wait for hosts that are connecting (15)' } } as const;

export const hostCommands: Command[] = [
  {
    name: 'hosts',
    group: 'Hosts',
    does: 'List the hosts, or show one',
    details: ['Hosts that are connecting are waited for. Those that are not there are explained.'],
    args: [{ ...aHost, optional: true }],
    options: wait,
    examples: [
      ['drover hosts', ''],
      ['drover hosts --json | jq -r ".[].label"', 'their names, for a script'],
    ],
    json: 'HostView[], or one HostView',
    run: listHosts,
  },
  {
    name: 'add',
    group: 'Hosts',
    does: 'Add a host by its libvirt URI, and connect',
    details: [
      'Keys, agent, known_hosts and configuration are used as ssh uses them. An unknown host key is shown and asked about on a terminal; elsewhere, give its fingerprint with --trust.',
    ],
    args: [{ name: 'URI', does: 'e.g. qemu+ssh://root@kvm1/system' }],
    options: {
      label: { value: 'LABEL', does: 'what to call it' },
      trust: { value: 'FINGERPRINT', does: 'the key to accept on first sight, SHA256:…' },
      ...wait,
    },
    examples: [
      ['drover add qemu+ssh://root@kvm1.example.org/system --label kvm1', ''],
      ['drover add qemu:///system', 'this machine'],
    ],
    json: 'HostView',
    run: addHost,
  },
  {
    name: 'trust',
    group: 'Hosts',
    does: 'Pin the key that a host has shown',
    args: [aHost, { name: 'FINGERPRINT', does: 'as it was shown, SHA256:…' }],
    options: { replace: { does: 'it takes the place of another one' }, ...wait },
    json: 'HostView',
    run: async (context) => {
      const core = await context.core();
      const found = await findHost(core, context.args.word(0));
      // A Drover of our own has to see the key first.
      await settled(context, found);
      const host = await core.call('hosts.trust', {
        id: found.id,
        fingerprint: context.args.word(1),
        replace: context.args.flag('replace'),
      });
      say(context, await settled(context, host));
    },
  },
  {
    name: 'connect',
    group: 'Hosts',
    does: 'Connect a host now',
    args: [aHost],
    options: wait,
    json: 'HostView',
    run: async (context) => {
      const core = await context.core();
      const { id } = await findHost(core, context.args.word(0));
      say(context, await settled(context, await core.call('hosts.connect', { id })));
    },
  },
  {
    name: 'disconnect',
    group: 'Hosts',
    does: 'Disconnect a host, until it is connected again',
    args: [aHost],
    options: {},
    json: 'HostView',
    run: async (context) => {
      const core = await context.core();
      const { id } = await findHost(core, context.args.word(0));
      const host = await core.call('hosts.disconnect', { id });
      context.out.result(host, () => `${printable(host.label)}: ${hostWord(host.state).word}`);
    },
  },
  {
    name: 'rename',
    group: 'Hosts',
    does: 'Call a host something else',
    args: [aHost, { name: 'LABEL', does: 'its new name in Drover' }],
    options: {},
    json: 'HostView',
    run: async ({ core, args, out }) => {
      const drover = await core();
      const { id } = await findHost(drover, args.word(0));
      const host = await drover.call('hosts.update', { id, label: args.word(1) });
      out.result(host, () => `${printable(host.label)}: ${hostWord(host.state).word}`);
    },
  },
  {
    name: 'group',
    group: 'Hosts',
    does: 'Put a host into a group, or without one take it out of its group',
    args: [aHost, { name: 'GROUP', does: 'e.g. a site or a rack', optional: true }],
    options: {},
    examples: [['drover group kvm1 "Rack A"', '']],
    json: 'HostView',
    run: async ({ core, args, out }) => {
      const drover = await core();
      const { id } = await findHost(drover, args.word(0));
      const group = args.words.length > 1 ? args.word(1) : null;
      const host = await drover.call('hosts.update', { id, group });
      out.result(
        host,
        () => `${printable(host.label)} is in ${host.group === null ? 'no group' : printable(host.group)}.`,
      );
    },
  },
  {
    name: 'remove',
    group: 'Hosts',
    does: 'Forget a host; its VMs are not touched',
    args: [aHost],
    options: {},
    json: '{ removed, id }',
    run: async ({ core, args, out }) => {
      const drover = await core();
      const { id, label } = await findHost(drover, args.word(0));
      const removed = await drover.call('hosts.remove', { id });
      out.result(removed, () => `${printable(label)} was removed from Drover. Its VMs were not touched.`);
    },
  },
];
