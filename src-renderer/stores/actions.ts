// Every action once: its name, its shortcut, whether it can be done now and why not, and what it does.
// Buttons, menus, the palette and the keyboard all take it from here.
import type { LifecycleAction, DomainView } from '../../contract/model.ts';
import type { Link } from '../../contract/link.ts';
import type { Dialogs } from './dialogs.svelte.ts';
import type { Domain } from './domain.svelte.ts';
import type { FleetStore } from './fleet.svelte.ts';
import type { Host } from './host.svelte.ts';
import { batchOf } from './batches.ts';
import { vms } from '../words/format.ts';
import { actions as words, offReasons as why } from '../words/actions.ts';
import type { Tasks } from './tasks.svelte.ts';
import type { Toasts } from './toasts.svelte.ts';

export interface ActionContext {
  link: Link;
  fleet: FleetStore;
  tasks: Tasks;
  toasts: Toasts;
  dialogs: Dialogs;
  /** Shows a VM's console. */
  openConsole(domain: Domain, options?: { kind: 'serial' | 'graphical' }): void;
  /** Picks VMs up, to be put on a host by keyboard. */
  carry(domains: readonly Domain[]): void;
}

export interface Action<T> {
  id: string;
  title: string;
  /** As it is shown; see `keys.ts` for what is pressed. */
  keys?: string;
  danger?: true;
  /** Why it cannot be done to this one now; null where it can. */
  off(target: T, context: ActionContext): string | null;
  /** Done to those for which `off` is null. */
  run(targets: readonly T[], context: ActionContext): void;
}

export type DomainAction = Action<Domain>;
export type HostAction = Action<Host>;

const active = new Set<DomainView['state']>(['running', 'blocked', 'paused', 'shutdown', 'pmsuspended']);
const isActive = ({ view }: Domain) => active.has(view.state);

const stops = new Set<LifecycleAction>(['shutdown', 'reboot', 'suspend', 'managedsave']);

/** What forbids any change to a VM. */
function held({ view }: Domain, { fleet }: ActionContext): string | null {
  const host = fleet.hosts.get(view.hostId);
  if (!host?.online || view.stale) return host ? why.notConnected(host.view.label) : why.hostNotConnected;
  if (host.view.readOnly) return why.readOnly(host.view.label);
  if (view.job) return why.migrating(view.name);
  return null;
}

function lifecycle(
  id: LifecycleAction,
  title: string,
  otherwise: (domain: Domain) => string | null,
  extra: { keys?: string } = {},
): DomainAction {
  return {
    id,
    title,
    ...extra,
    off: (domain, context) => held(domain, context) ?? otherwise(domain),
    // What stops more than one machine at once is asked about.
    run: (domains, context) =>
      domains.length > 1 && stops.has(id)
        ? context.dialogs.show({ kind: 'several', action: id, title, domains: refs(domains) })
        : act(id, title, domains, context),
  };
}

/** Asks libvirt, one task a VM; how it went is told by the deltas and in the task list. */
export function act(
  action: LifecycleAction,
  title: string,
  domains: readonly Domain[],
  { link, tasks, toasts }: Pick<ActionContext, 'link' | 'tasks' | 'toasts'>,
): void {
  const batch = batchOf(domains.length, vms(domains.length));
  for (const { view } of domains) {
    const { hostId, uuid } = view;
    void tasks
      .run({ what: title, target: view.name, hosts: [hostId], batch }, () =>
        link.call('domains.act', { hostId, uuid, action }),
      )
      .then((err) => err && toasts.show('error', err.message));
  }
}

const startable = (domain: Domain) => (isActive(domain) ? why.alreadyRunning(domain.view.name) : null);
const running = ({ view }: Domain) =>
  view.state === 'running' || view.state === 'blocked' ? null : why.notRunning(view.name);
const on = (domain: Domain) => (isActive(domain) ? null : why.notRunning(domain.view.name));

export const domainActions = [
  {
    id: 'console',
    title: words.vm.console,
    keys: 'Enter',
    off: (domain, { fleet }) => {
      if (!domain.view.consoles.some(({ kind }) => kind === 'serial' || kind === 'vnc'))
        return why.noConsole(domain.view.name);
      if (!fleet.hosts.get(domain.view.hostId)?.online) return why.notConnected(fleet.label(domain.view.hostId));
      return on(domain);
    },
    run: (domains, context) => domains.forEach((domain) => context.openConsole(domain)),
  },
  {
    id: 'graphics',
    title: words.vm.graphics,
    keys: 'Ctrl+Enter',
    off: (domain, { fleet }) => {
      const { name, hostId, consoles } = domain.view;
      if (!consoles.some(({ kind }) => kind === 'vnc'))
        return consoles.some(({ kind }) => kind === 'spice') ? why.onlySpice(name) : why.noVnc(name);
      if (!fleet.hosts.get(hostId)?.online) return why.notConnected(fleet.label(hostId));
      return on(domain);
    },
    run: (domains, context) => domains.forEach((domain) => context.openConsole(domain, { kind: 'graphical' })),
  },
  lifecycle('start', words.vm.start, startable, { keys: 'Ctrl+B' }),
  lifecycle('resume', words.vm.resume, ({ view }) =>
    view.state === 'paused'
      ? null
      : view.state === 'pmsuspended'
        ? why.suspendedByGuest(view.name)
        : why.notPaused(view.name),
  ),
  lifecycle('suspend', words.vm.suspend, running),
  lifecycle('shutdown', words.vm.shutdown, running, { keys: 'Ctrl+E' }),
  lifecycle('reboot', words.vm.reboot, running, { keys: 'Ctrl+R' }),
  lifecycle('managedsave', words.vm.managedsave, (domain) =>
    domain.view.persistent ? on(domain) : why.notPersistent(domain.view.name),
  ),
  {
    id: 'tags',
    title: words.vm.tags,
    keys: 'Shift+T',
    off: held,
    run: (domains, { dialogs }) => dialogs.show({ kind: 'tags', domains: refs(domains) }),
  },
  {
    id: 'migrate',
    title: words.vm.migrate,
    keys: 'Ctrl+M',
    off: (domain, context) => held(domain, context) ?? noTarget(context),
    run: (domains, { dialogs }) =>
      dialogs.show({
        kind: 'migrate',
        domains: domains.map(({ view: { hostId, uuid } }) => ({ hostId, uuid })),
        to: null,
      }),
  },
  {
    id: 'carry',
    title: words.vm.carry,
    keys: 'M',
    off: (domain, context) => held(domain, context) ?? noTarget(context),
    run: (domains, context) => context.carry(domains),
  },
  {
    id: 'move-back',
    title: words.vm['move-back'],
    off: (domain, context) => held(domain, context) ?? noWayBack(domain, context),
    // Each dialog is about one host: of several, those that came from where the first did.
    run: (domains, { dialogs, fleet }) => {
      const origin = (domain: Domain) => fleet.cameFrom(domain.view)?.from;
      const to = domains[0] && origin(domains[0]);
      if (to === undefined) return;
      dialogs.show({ kind: 'migrate', domains: refs(domains.filter((domain) => origin(domain) === to)), to });
    },
  },
  {
    id: 'destroy',
    title: words.vm.destroy,
    danger: true,
    off: (domain, context) => held(domain, context) ?? on(domain),
    run: (domains, { dialogs }) => dialogs.show({ kind: 'force-off', domains: refs(domains) }),
  },
  {
    id: 'reset',
    title: words.vm.reset,
    danger: true,
    off: (domain, context) => held(domain, context) ?? running(domain),
    run: (domains, { dialogs }) => dialogs.show({ kind: 'force-reset', domains: refs(domains) }),
  },
  {
    id: 'delete',
    title: words.vm.delete,
    danger: true,
    off: (domain, context) => held(domain, context) ?? (isActive(domain) ? why.runningStill(domain.view.name) : null),
    run: (domains, { dialogs }) => dialogs.show({ kind: 'delete', domains: refs(domains) }),
  },
] as const satisfies readonly DomainAction[];

export type DomainActionId = (typeof domainActions)[number]['id'];

export const domainAction = (id: DomainActionId): DomainAction =>
  domainActions.find((action) => action.id === id) as DomainAction;

const refs = (domains: readonly Domain[]) => domains.map(({ view: { hostId, uuid } }) => ({ hostId, uuid }));
function noWayBack({ view }: Domain, { fleet }: ActionContext): string | null {
  const from = fleet.cameFrom(view)?.from;
  if (from === undefined) return why.notMovedHere(view.name, fleet.label(view.hostId));
  return fleet.hosts.get(from)?.online ? null : why.originNotConnected(fleet.label(from));
}
const noTarget = ({ fleet }: ActionContext) => (fleet.hosts.size > 1 ? null : why.noOtherHost);

/** Why an action can be done to none of several; null where it can to some. */
export function offFor<T>(action: Action<T>, targets: readonly T[], context: ActionContext): string | null {
  let first: string | null = null;
  for (const target of targets) {
    const off = action.off(target, context);
    if (off === null) return null;
    first ??= off;
  }
  if (targets.length === 0) return why.nothingSelected;
  return targets.length === 1 ? first : why.noneCan(targets.length, first);
}

/** Does it to those of several that it can be done to. */
export function runOn<T>(action: Action<T>, targets: readonly T[], context: ActionContext): void {
  const able = targets.filter((target) => action.off(target, context) === null);
  if (able.length > 0) action.run(able, context);
}

function hostCall(what: string, { view }: Host, { tasks, toasts }: ActionContext, work: () => Promise<unknown>): void {
  void tasks
    .run({ what, target: view.label, hosts: [view.id] }, work)
    .then((err) => err && toasts.show('error', err.message));
}

export const hostActions = [
  {
    id: 'connect',
    title: words.host.connect,
    off: ({ view }) => (view.state === 'online' ? why.connected(view.label) : null),
    run: (hosts, context) =>
      hosts.forEach((host) =>
        hostCall(words.host.connect, host, context, () => context.link.call('hosts.connect', { id: host.id })),
      ),
  },
  {
    id: 'disconnect',
    title: words.host.disconnect,
    off: ({ view }) => (view.state === 'disconnected' ? why.notConnected(view.label) : null),
    run: (hosts, context) =>
      hosts.forEach((host) =>
        hostCall(words.host.disconnect, host, context, () => context.link.call('hosts.disconnect', { id: host.id })),
      ),
  },
  {
    id: 'evacuate',
    title: words.host.evacuate,
    keys: 'Shift+E',
    off: ({ view, online }, context) => {
      if (!online) return why.notConnected(view.label);
      if (view.readOnly) return why.readOnly(view.label);
      return view.domains.running === 0 ? why.nothingRuns(view.label) : noTarget(context);
    },
    run: ([host], { dialogs }) => host && dialogs.show({ kind: 'evacuate', hostId: host.id }),
  },
  {
    id: 'host-key',
    title: words.host['host-key'],
    off: ({ view }) => (view.hostKey ? null : why.noKeyYet(view.label)),
    run: ([host], { dialogs }) => host && dialogs.show({ kind: 'host-key', hostId: host.id }),
  },
  {
    id: 'rename',
    title: words.host.rename,
    keys: 'F2',
    off: () => null,
    run: ([host], { dialogs }) => host && dialogs.show({ kind: 'rename-host', hostId: host.id }),
  },
  {
    id: 'group',
    title: words.host.group,
    keys: 'Shift+G',
    off: () => null,
    run: ([host], { dialogs }) => host && dialogs.show({ kind: 'group-host', hostId: host.id }),
  },
  {
    id: 'remove',
    title: words.host.remove,
    danger: true,
    off: () => null,
    run: ([host], { dialogs }) => host && dialogs.show({ kind: 'remove-host', hostId: host.id }),
  },
] as const satisfies readonly HostAction[];

export type HostActionId = (typeof hostActions)[number]['id'];

export const hostAction = (id: HostActionId): HostAction =>
  hostActions.find((action) => action.id === id) as HostAction;
