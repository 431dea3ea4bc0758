// Everything that a window has at hand, made once and handed to its views by context.
import { createContext, untrack } from 'svelte';
import type { Link } from '../../contract/link.ts';
import type { DomainView, HostId, Preflight, Uuid } from '../../contract/model.ts';
import { Drag, type Ground } from '../drag/drag.svelte.ts';
import { Clock } from '../stores/clock.svelte.ts';
import { ConsolesStore, type ConsoleKind, type ConsoleSession } from '../stores/consoles.svelte.ts';
import { Dialogs } from '../stores/dialogs.svelte.ts';
import type { Domain } from '../stores/domain.svelte.ts';
import { Filters } from '../stores/filters.ts';
import { FleetStore } from '../stores/fleet.svelte.ts';
import { MigrationTraces } from '../stores/migration-traces.svelte.ts';
import { Layout } from '../stores/layout.svelte.ts';
import { PreferencesStore } from '../stores/preferences.svelte.ts';
import { Search } from '../stores/search.svelte.ts';
import { Selection } from '../stores/selection.svelte.ts';
import { Sight } from '../stores/sight.ts';
import { Tasks } from '../stores/tasks.svelte.ts';
import { Tints } from '../stores/tints.ts';
import { Toasts } from '../stores/toasts.svelte.ts';
import { Undo } from '../stores/undo.svelte.ts';
import { preferences as words } from '../words/layout.ts';
import { OpenMenu } from './open-menu.svelte.ts';
import type { ActionContext } from '../stores/actions.ts';
import type { GraphicsScreen } from '../parts/graphics-screen.ts';
import type { TerminalScreen } from '../parts/terminal.ts';

/** By the session's kind. */
type AnyScreen = TerminalScreen | GraphicsScreen;
export type AnySession = ConsoleSession<AnyScreen>;

export class Desk implements ActionContext {
  readonly link: Link;
  readonly clock = new Clock();
  readonly menu = new OpenMenu();
  readonly toasts = new Toasts();
  readonly undo = new Undo(this.toasts);
  readonly dialogs = new Dialogs();
  readonly fleet: FleetStore;
  readonly preferences: PreferencesStore;
  readonly filters: Filters;
  readonly tints: Tints;
  readonly layout: Layout;
  readonly selection: Selection;
  readonly search: Search;
  readonly tasks: Tasks;
  readonly consoles: ConsolesStore<AnyScreen>;
  readonly ground: Ground;
  readonly drag: Drag;
  readonly traces: MigrationTraces;
  readonly sight: Sight;

  constructor(link: Link) {
    this.link = link;
    this.fleet = new FleetStore(link, { notice: ({ level, message }) => this.toasts.show(level, message) });
    this.preferences = new PreferencesStore(link, {
      failed: () => this.toasts.show('warn', words.choiceLost),
    });
    this.filters = new Filters(this.preferences);
    this.tints = new Tints(this.preferences);
    this.layout = new Layout(this.preferences);
    this.selection = new Selection(this.fleet);
    this.search = new Search(this.fleet, this.clock);
    this.tasks = new Tasks(this.fleet);
    this.traces = new MigrationTraces(link);
    this.sight = new Sight(link);
    this.consoles = new ConsolesStore(link, {
      label: (hostId) => this.fleet.label(hostId),
      running: (uuid) =>
        this.fleet
          .homes(uuid)
          .filter(({ view }) => view.id !== null && !view.stale)
          .map(({ view }) => view.hostId),
    });
    this.ground = {
      host: (id) => this.fleet.hosts.get(id)?.view,
      ask: async ({ uuid, hostId }) =>
        (await link.call('migrations.preflight', { uuid, from: hostId })) as Record<HostId, Preflight>,
      drop: (domains, to) => this.migrate(domains, to),
      refused: (reason) => this.toasts.show('warn', reason),
    };
    this.drag = new Drag(this.ground);
  }

  /** Begins to listen; the answer ends it. */
  start(): () => void {
    void this.preferences.load().catch(() => {}); // the usual choices do as well
    const undo = [this.fleet.start(), this.clock.start(), this.sight.start(), this.#showChosen(), this.#follow()];
    return () => {
      for (const end of undo) end();
    };
  }

  /** The hosts of what is chosen are in sight, in the pane that has its details. */
  #showChosen(): () => void {
    return $effect.root(() => {
      $effect(() => {
        const { hostId, domains } = this.selection;
        this.sight.show('chosen', [
          ...(hostId === null ? [] : [hostId]),
          ...domains.slice(0, 20).map(({ view }) => view.hostId),
        ]);
      });
    });
  }

  /** What has no view of its own, and is the same in every window. */
  #follow(): () => void {
    const { preferences, fleet, tints, consoles } = this;
    return $effect.root(() => {
      $effect(() => {
        if (preferences.theme === 'system') delete document.documentElement.dataset['theme'];
        else document.documentElement.dataset['theme'] = preferences.theme;
      });
      $effect(() => {
        const ids = [...fleet.hosts.keys()];
        untrack(() => tints.settle(ids));
      });
      // A console that was closed may come back with its VM or its host.
      $effect(() => {
        void fleet.domainList;
        untrack(() => consoles.see());
      });
    });
  }

  /** As the fleet knows it; its UUID where it does not. */
  nameOf(uuid: Uuid): string {
    return this.fleet.homes(uuid)[0]?.view.name ?? uuid;
  }

  hue(hostId: HostId): number {
    return this.tints.of(hostId);
  }

  /** Asks once, with the options; without `to`, where to as well. */
  migrate(domains: readonly DomainView[], to: HostId | null): void {
    const refs = domains.map(({ hostId, uuid }) => ({ hostId, uuid }));
    this.dialogs.show({ kind: 'migrate', domains: refs, to });
  }

  /** The VM's first console of that kind, or the one that is named; serial where there is one and nothing is said. */
  openConsole({ view }: Domain, { where = 'tab', kind = usualKind(view), target }: ConsoleWish = {}): void {
    const session = this.consoles.open({ hostId: view.hostId, uuid: view.uuid }, target, kind);
    if (where === 'beside') this.layout.beside = session.key;
    else if (this.layout.beside !== session.key) this.layout.tab = `console:${session.key}`;
  }

  closeConsole(key: string): void {
    const session = this.consoles.sessions.get(key);
    if (session) this.consoles.close(session);
    if (this.layout.beside === key) this.layout.beside = null;
    this.layout.leave(`console:${key}`);
  }

  carry(domains: readonly Domain[]): void {
    this.drag.start(
      domains.map(({ view }) => view),
      'keyboard',
    );
  }
}

interface ConsoleWish {
  where?: 'tab' | 'beside';
  kind?: ConsoleKind;
  target?: string | undefined;
}

type Modifiers = Pick<KeyboardEvent, 'shiftKey' | 'ctrlKey' | 'metaKey'>;

/** What Enter or a double click asks for: with Shift beside, with Ctrl the graphical one. */
export const consoleWish = ({ shiftKey, ctrlKey, metaKey }: Modifiers): ConsoleWish => ({
  where: shiftKey ? 'beside' : 'tab',
  ...((ctrlKey || metaKey) && { kind: 'graphical' }),
});

const usualKind = ({ consoles }: DomainView): ConsoleKind =>
  consoles.some(({ kind }) => kind === 'serial') ? 'serial' : 'graphical';

export const [useDesk, giveDesk] = createContext<Desk>();
