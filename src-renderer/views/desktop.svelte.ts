// The window as a desktop app's: its actions in the system's menus, and links that lead to a host or a VM.
import { desktopMenuCall, type DesktopEvents, type DesktopMenus } from '../../contract/desktop.ts';
import type { Bridge } from '../../contract/wire.ts';
import {
  domainActions,
  hostActions,
  offFor,
  runOn,
  type Action,
  type DomainAction,
  type HostAction,
} from '../stores/actions.ts';
import { desktop as words } from '../words/menus.ts';
import type { Desk } from './desk.svelte.ts';
import { windowShortcuts } from './keys.ts';

const chosenHosts = ({ selection: { host } }: Desk) => (host ? [host] : []);

const keysOf = ({ keys }: Pick<Action<never>, 'keys'>) => (keys === undefined ? {} : { keys });

/** The menus as they are now: what cannot be done to what is chosen is grey. */
export function menusOf(desk: Desk): DesktopMenus {
  const { domains } = desk.selection;
  const hosts = chosenHosts(desk);
  return [
    {
      title: words.vm,
      items: (domainActions as readonly DomainAction[]).map((action) => ({
        id: `vm:${action.id}`,
        title: action.title,
        ...keysOf(action),
        enabled: offFor(action, domains, desk) === null,
      })),
    },
    {
      title: words.host,
      items: [
        { id: 'window:add-host', title: words.addHost, enabled: true },
        { id: 'window:scan', title: words.scan, enabled: true },
        ...(hostActions as readonly HostAction[]).map((action) => ({
          id: `host:${action.id}`,
          title: action.title,
          ...keysOf(action),
          enabled: offFor(action, hosts, desk) === null,
        })),
      ],
    },
    {
      title: words.view,
      items: windowShortcuts.map(({ keys, does }) => ({ id: `keys:${keys}`, title: does, keys, enabled: true })),
    },
  ];
}

/** Does what was chosen in a menu, as its button or key would. */
export function chooseInMenu(desk: Desk, id: string): void {
  const vm = (domainActions as readonly DomainAction[]).find((action) => id === `vm:${action.id}`);
  if (vm) return runOn(vm, desk.selection.domains, desk);
  const host = (hostActions as readonly HostAction[]).find((action) => id === `host:${action.id}`);
  if (host) return runOn(host, chosenHosts(desk), desk);
  if (id === 'window:add-host') desk.dialogs.show({ kind: 'add-host' });
  else if (id === 'window:scan') desk.dialogs.show({ kind: 'discover' });
  else windowShortcuts.find(({ keys }) => id === `keys:${keys}`)?.run(desk);
}

/** Shows what a link names; says so where it is not there. Does nothing to it: anybody can make a link. */
export function showLinked(desk: Desk, { host: name, vm }: DesktopEvents['show']): void {
  const { fleet, selection, toasts } = desk;
  const same = (one: string) => one.toLowerCase() === name.toLowerCase();
  const host = [...fleet.hosts.values()].find(({ view }) => same(view.label) || same(view.info?.hostname ?? ''));
  if (!host) return void toasts.show('warn', words.noHost(name));
  if (vm === null) return selection.pickHost(host.id);
  const domain = fleet.domainList.find(
    ({ view }) => view.hostId === host.id && (view.name === vm || view.uuid === vm.toLowerCase()),
  );
  if (!domain) return void toasts.show('warn', words.noVm(vm, host.view.label));
  selection.pick(domain.key);
}

/** Tells the shell the menus, anew when they change, and listens to it; the answer ends it. */
export function joinDesktop(bridge: Bridge, desk: Desk): () => void {
  let told = '';
  let wanted = $state<DesktopEvents['show'] | null>(null);
  const undo = [
    bridge.on('menu', (payload) => chooseInMenu(desk, (payload as DesktopEvents['menu']).id)),
    bridge.on('show', (payload) => (wanted = payload as DesktopEvents['show'])),
    $effect.root(() => {
      $effect(() => {
        const menus = menusOf(desk);
        const text = JSON.stringify(menus);
        if (text === told) return;
        told = text;
        void bridge.call(desktopMenuCall, menus).catch(() => {});
      });
      // A link that started the app comes before the fleet does.
      $effect(() => {
        if (wanted === null || !desk.fleet.known) return;
        showLinked(desk, wanted);
        wanted = null;
      });
    }),
  ];
  return () => {
    for (const end of undo) end();
  };
}
