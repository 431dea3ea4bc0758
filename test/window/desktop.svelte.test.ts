// The window in the desktop app: its menus follow what is chosen, and links show a host or a VM and do nothing else.
import { flushSync } from 'svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DesktopMenus } from '../../contract/desktop.ts';
import { desktopMenus } from '../../src-main/shells/electron-asked.ts';
import { domainActions, hostActions } from '../../src-renderer/stores/actions.ts';
import { Desk } from '../../src-renderer/views/desk.svelte.ts';
import { chooseInMenu, joinDesktop, menusOf } from '../../src-renderer/views/desktop.svelte.ts';
import { windowShortcuts } from '../../src-renderer/views/keys.ts';
import { madeUpFleet } from './made-up-fleet.ts';
import { ScriptedLink } from './scripted-link.ts';

const settled = () => new Promise<void>((resolve) => setTimeout(resolve));

let link: ScriptedLink;
let desk: Desk;
beforeEach(() => {
  link = new ScriptedLink();
  const snapshot = madeUpFleet({ hosts: 2, each: 2, seed: 5 });
  for (const domain of snapshot.domains) domain.state = 'running';
  link.answer('fleet.snapshot', () => snapshot);
  desk = new Desk(link);
});

const arrive = async () => {
  desk.fleet.start();
  link.emit('up', true);
  await settled();
  flushSync();
};

/** The shell's side of the bridge. */
class Shell {
  menus: DesktopMenus[] = [];
  readonly #listeners = new Map<string, (payload: unknown) => void>();
  call = async (_: string, args: unknown) => {
    this.menus.push(args as DesktopMenus);
    return { err: null, data: null };
  };
  on = (event: string, listener: (payload: unknown) => void) => {
    this.#listeners.set(event, listener);
    return () => void this.#listeners.delete(event);
  };
  tell = (event: string, payload: unknown) => {
    this.#listeners.get(event)?.(payload);
    flushSync();
  };
}

describe('the menus', () => {
  it('have every action and every key of the window, in the form that the shell takes', () => {
    const menus = menusOf(desk);
    expect(desktopMenus.safeParse(menus).success).toBe(true);
    const ids = menus.flatMap(({ items }) => items.map(({ id }) => id));
    expect(ids).toEqual(
      expect.arrayContaining([
        ...domainActions.map(({ id }) => `vm:${id}`),
        ...hostActions.map(({ id }) => `host:${id}`),
        ...windowShortcuts.map(({ keys }) => `keys:${keys}`),
      ]),
    );
  });

  it('are told anew when what is chosen changes', async () => {
    await arrive();
    const shell = new Shell();
    const leave = joinDesktop(shell, desk);
    flushSync();
    const pause = () => shell.menus.at(-1)?.[0]?.items.find(({ id }) => id === 'vm:suspend')?.enabled;
    expect(pause()).toBe(false);
    desk.selection.pick(desk.fleet.domainList[0]?.key ?? '');
    flushSync();
    expect(pause()).toBe(true);
    leave();
  });

  it('do what their item says', async () => {
    await arrive();
    chooseInMenu(desk, 'window:add-host');
    expect(desk.dialogs.open).toEqual({ kind: 'add-host' });
    desk.selection.pick(desk.fleet.domainList[0]?.key ?? '');
    chooseInMenu(desk, 'vm:destroy');
    expect(desk.dialogs.open).toMatchObject({ kind: 'force-off' });
    chooseInMenu(desk, 'keys:2');
    expect(desk.layout.tab).toBe('vms');
    chooseInMenu(desk, 'vm:constructor');
  });
});

describe('a link', () => {
  it('waits for the fleet, and chooses what it names', async () => {
    const shell = new Shell();
    joinDesktop(shell, desk);
    shell.tell('show', { host: 'KVM1', vm: null });
    expect(desk.selection.hostId).toBeNull();
    await arrive();
    expect(desk.selection.host?.view.label).toBe('kvm1');
    const { view, key } = desk.fleet.domainList[0] ?? {};
    const label = desk.fleet.label(view?.hostId ?? '');
    shell.tell('show', { host: label, vm: view?.name });
    expect([...desk.selection.keys]).toEqual([key]);
  });

  it('says so where it leads nowhere', async () => {
    await arrive();
    const shell = new Shell();
    joinDesktop(shell, desk);
    shell.tell('show', { host: 'nowhere', vm: 'web01' });
    expect(desk.toasts.list.map(({ message }) => message)).toEqual(['There is no host “nowhere” in Drover.']);
  });
});
