// The keyboard: what is pressed, and what it does. Gives way in fields, in dialogs and in consoles.
import { domainActions, hostActions, runOn, type DomainAction, type HostAction } from '../stores/actions.ts';
import { shortcuts } from '../words/shortcuts.ts';
import { detach } from './console-window.ts';
import type { AnySession, Desk } from './desk.svelte.ts';

interface Shortcut {
  keys: string;
  does: string;
  run: (desk: Desk) => void;
  /** Works even where something is being typed. */
  anywhere?: true;
}

const { does } = shortcuts;

export const windowShortcuts: Shortcut[] = [
  { keys: 'Ctrl+F', does: does.search, run: () => focusOn('search'), anywhere: true },
  { keys: 'Ctrl+K', does: does.palette, run: (desk) => desk.dialogs.show({ kind: 'palette' }), anywhere: true },
  { keys: '?', does: does.shortcuts, run: (desk) => desk.dialogs.show({ kind: 'shortcuts' }) },
  { keys: '1', does: does.hosts, run: (desk) => (desk.layout.tab = 'hosts') },
  { keys: '2', does: does.vms, run: (desk) => (desk.layout.tab = 'vms') },
  { keys: '3', does: does.mobility, run: (desk) => (desk.layout.tab = 'mobility') },
  { keys: 'T', does: does.tree, run: (desk) => desk.layout.toggle('tree') },
  { keys: 'D', does: does.detail, run: (desk) => desk.layout.toggle('detail') },
  { keys: 'J', does: does.tasks, run: (desk) => desk.layout.toggle('tasks') },
  { keys: 'Ctrl+Z', does: does.undo, run: (desk) => void desk.undo.take() },
  {
    keys: 'Ctrl+W',
    does: does.closeConsole,
    run: (desk) => {
      const console = consoleInFront(desk);
      if (console) desk.closeConsole(console.key);
    },
  },
  {
    keys: 'O',
    does: does.detachConsole,
    run: (desk) => {
      const console = consoleInFront(desk);
      if (console) void detach(desk, console);
    },
  },
];

/** `Ctrl+Shift+M` of an event; Cmd counts as Ctrl. */
export function pressed(event: KeyboardEvent): string {
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const shift = event.shiftKey && (event.key.length > 1 || /[a-z]/i.test(event.key));
  return `${event.ctrlKey || event.metaKey ? 'Ctrl+' : ''}${event.altKey ? 'Alt+' : ''}${shift ? 'Shift+' : ''}${key}`;
}

/** Where keys belong to what has the focus. */
function isTaken(element: EventTarget | null): 'console' | 'field' | null {
  if (!(element instanceof Element)) return null;
  if (element.closest('.xterm, [data-guest]')) return 'console';
  return element.closest('input:not([type=checkbox]), textarea, select, [contenteditable]') ? 'field' : null;
}

export function onKey(event: KeyboardEvent, desk: Desk): void {
  if (event.defaultPrevented || event.isComposing) return;
  const taken = isTaken(event.target);
  if (taken === 'console') return;
  const keys = pressed(event);
  const inDialog =
    desk.dialogs.open !== null ||
    (event.target instanceof Element && event.target.closest('[role=dialog], [role=menu]') !== null);
  const shortcut = windowShortcuts.find((one) => one.keys === keys);
  if (shortcut && !inDialog && (taken === null || shortcut.anywhere)) {
    event.preventDefault();
    shortcut.run(desk);
    return;
  }
  if (inDialog || taken !== null || desk.drag.active) return;
  const action = (domainActions as readonly DomainAction[]).find((one) => one.keys === keys);
  const { host } = desk.selection;
  const hostAction = (hostActions as readonly HostAction[]).find((one) => one.keys === keys);
  if (host && hostAction) {
    event.preventDefault();
    const off = hostAction.off(host, desk);
    if (off === null) runOn(hostAction, [host], desk);
    else desk.toasts.show('warn', off);
    return;
  }
  // Enter is the list's own: it opens what the keyboard is at.
  if (!action || keys === 'Enter' || desk.selection.domains.length === 0) return;
  event.preventDefault();
  runOn(action, desk.selection.domains, desk);
}

export function focusOn(part: 'search' | 'tree' | 'table'): void {
  const element = document.querySelector<HTMLElement>(`[data-part=${part}]`);
  element?.focus();
  if (element instanceof HTMLInputElement) element.select();
}

const consoleInFront = ({ layout: { tab }, consoles }: Desk): AnySession | undefined =>
  tab.startsWith('console:') ? consoles.sessions.get(tab.slice('console:'.length)) : undefined;
