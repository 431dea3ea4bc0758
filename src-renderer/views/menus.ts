// The menus of a VM and of a host: the actions, with the reason where one cannot be done now.
import SearchIcon from '@lucide/svelte/icons/search';
import type { HostView } from '../../contract/model.ts';
import type { Verdict } from '../drag/rule.ts';
import { Verdicts } from '../drag/verdicts.svelte.ts';
import { actionIcon } from '../parts/action-icons.ts';
import { domainAction, hostActions, offFor, runOn, type Action, type DomainActionId } from '../stores/actions.ts';
import type { Domain } from '../stores/domain.svelte.ts';
import type { Host } from '../stores/host.svelte.ts';
import type { MenuAction, MenuItem } from '../ui/menu.ts';
import { groupQuery, tagQuery } from '../stores/tags.ts';
import { menus as words } from '../words/menus.ts';
import type { Desk } from './desk.svelte.ts';

/** More hosts than this are picked in the dialog, which can be typed in. */
const mostHosts = 24;

export function entry<T>(action: Action<T>, targets: readonly T[], desk: Desk): MenuAction {
  return {
    id: action.id,
    label: action.title,
    icon: actionIcon(action.id),
    keys: action.keys,
    danger: action.danger,
    off: offFor(action, targets, desk),
    run: () => runOn(action, targets, desk),
  };
}

const groups: DomainActionId[][] = [
  ['console', 'graphics'],
  ['start', 'resume', 'suspend', 'shutdown', 'reboot', 'managedsave'],
  ['migrate', 'carry', 'move-back'],
  ['tags'],
  ['destroy', 'reset', 'delete'],
];

export function domainMenu(domains: readonly Domain[], desk: Desk): MenuItem[] {
  const items: MenuItem[] = [];
  for (const group of groups) {
    if (items.length > 0) items.push('line');
    const entries = group.map((id) => entry(domainAction(id), domains, desk));
    // Run and Resume, Pause and Resume exclude each other: only what could be meant is shown.
    items.push(...entries.filter(({ id, off }) => !((id === 'resume' || id === 'move-back') && off)));
    if (group.includes('console') && domains.length === 1) items.splice(items.length - 1, 0, beside(domains, desk));
    if (group.includes('migrate'))
      items.splice(
        items.findIndex((item) => typeof item === 'object' && 'id' in item && item.id === 'migrate'),
        0,
        migrateTo(domains, desk),
      );
  }
  return domains.length > 1 ? [{ heading: words.several(domains.length) }, ...items] : items;
}

function beside(domains: readonly Domain[], desk: Desk): MenuAction {
  const open = entry(domainAction('console'), domains, desk);
  return {
    ...open,
    id: 'console-beside',
    label: words.beside,
    keys: 'Shift+Enter',
    run: () => domains.forEach((domain) => desk.openConsole(domain, { where: 'beside' })),
  };
}

const offReason = ({ level, reason }: Verdict) =>
  level === 'here' ? words.here : level === 'blocked' ? (reason ?? words.blocked) : null;

const rank = { ok: 0, warn: 1, checking: 2, here: 3, blocked: 4 } satisfies Record<Verdict['level'], number>;

/** Hosts, the likely ones first, each with what it says to it. */
function migrateTo(domains: readonly Domain[], desk: Desk): MenuAction {
  const views = domains.map(({ view }) => view);
  const verdicts = new Verdicts(views, desk.ground);
  return {
    id: 'migrate-to',
    label: words.migrateTo,
    icon: actionIcon('migrate'),
    off: offFor(domainAction('migrate'), domains, desk),
    onopen: () => verdicts.ask(),
    items: () => {
      const hosts = desk.fleet.hostList.map(({ view }) => ({ view, verdict: verdicts.of(view) }));
      hosts.sort((a, b) => rank[a.verdict.level] - rank[b.verdict.level]);
      const items: MenuItem[] = hosts.slice(0, mostHosts).map(({ view, verdict }) => ({
        id: view.id,
        label: view.label,
        hue: desk.hue(view.id),
        off: offReason(verdict),
        note: verdict.level === 'warn' ? verdict.reason : null,
        run: () =>
          desk.migrate(
            views.filter((one) => one.hostId !== view.id),
            view.id,
          ),
      }));
      if (hosts.length <= mostHosts) return items;
      const more = { id: 'more-hosts', label: words.allHosts(hosts.length), run: () => desk.migrate(views, null) };
      return [...items, 'line', more];
    },
  };
}

export function hostMenu(host: Host, desk: Desk): MenuItem[] {
  const [first, second, ...rest] = hostActions.map((action) => entry(action, [host], desk));
  const items: MenuItem[] = [];
  for (const item of [first, second]) if (item && !item.off) items.push(item);
  return [...items, ...rest];
}

export function tagMenu(name: string, domains: readonly Domain[], desk: Desk): MenuItem[] {
  const find = tagQuery(name);
  const many = domains.length;
  return [
    { id: 'find', label: words.find(find), icon: SearchIcon, run: () => (desk.search.text = find) },
    { id: 'select', label: words.select(many), run: () => desk.selection.all(domains.map(({ key }) => key)) },
    'line',
    { ...entry(domainAction('tags'), domains, desk), label: words.tagsOf(many) },
    migrateTo(domains, desk),
  ];
}

export function groupMenu(name: string, desk: Desk): MenuItem[] {
  const find = groupQuery(name);
  return [{ id: 'find', label: words.find(find), icon: SearchIcon, run: () => (desk.search.text = find) }];
}

/** What to do first about a host that is not online. */
export function remedyFor(view: HostView, desk: Desk): { title: string; run: () => void } | null {
  switch (view.state) {
    case 'untrusted':
      return { title: words.checkKey, run: () => desk.dialogs.show({ kind: 'host-key', hostId: view.id }) };
    case 'unreachable':
    case 'auth-failed':
    case 'not-libvirt':
    case 'disconnected':
      return {
        title: view.state === 'disconnected' ? words.connect : words.tryNow,
        run: () => {
          const host = desk.fleet.hosts.get(view.id);
          const connect = hostActions.find((action) => action.id === 'connect');
          if (host && connect) runOn(connect, [host], desk);
        },
      };
    case 'connecting':
    case 'online':
      return null;
    default:
      return view.state satisfies never;
  }
}
