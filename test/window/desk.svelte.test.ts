// Selection, actions, tasks, preferences and tints, on a fleet that a made-up main side tells.
import { beforeEach, describe, expect, it } from 'vitest';
import { Failure } from '../../contract/failure.ts';
import type { ScanView } from '../../contract/model.ts';
import { domainAction, hostAction, offFor, runOn, type ActionContext } from '../../src-renderer/stores/actions.ts';
import { Dialogs } from '../../src-renderer/stores/dialogs.svelte.ts';
import type { Domain } from '../../src-renderer/stores/domain.svelte.ts';
import { FleetStore } from '../../src-renderer/stores/fleet.svelte.ts';
import { PreferencesStore } from '../../src-renderer/stores/preferences.svelte.ts';
import { Selection } from '../../src-renderer/stores/selection.svelte.ts';
import { Tasks } from '../../src-renderer/stores/tasks.svelte.ts';
import { Tints } from '../../src-renderer/stores/tints.ts';
import { Toasts } from '../../src-renderer/stores/toasts.svelte.ts';
import { madeUpFleet } from './made-up-fleet.ts';
import { ScriptedLink } from './scripted-link.ts';

const settled = () => new Promise<void>((resolve) => setTimeout(resolve));

let link: ScriptedLink;
let fleet: FleetStore;
let context: ActionContext & { toasts: Toasts; carried: string[]; consoles: string[] };
let seq: number;

beforeEach(async () => {
  link = new ScriptedLink();
  const snapshot = madeUpFleet({ hosts: 2, each: 4, seed: 5 });
  for (const domain of snapshot.domains) domain.state = 'running';
  link.answer('fleet.snapshot', () => snapshot);
  fleet = new FleetStore(link, { rest: (over) => over() });
  fleet.start();
  link.emit('up', true);
  await settled();
  seq = 0;
  const carried: string[] = [];
  const consoles: string[] = [];
  context = {
    link,
    fleet,
    tasks: new Tasks(fleet, () => '2026-01-01T00:00:00.000Z'),
    toasts: new Toasts(() => {}),
    dialogs: new Dialogs(),
    openConsole: (domain) => consoles.push(domain.view.name),
    carry: (domains) => carried.push(...domains.map(({ view }) => view.name)),
    carried,
    consoles,
  };
});

const all = () => [...fleet.domainList];
const one = (index = 0) => all()[index] as Domain;
function change(domain: Domain, view: Partial<Domain['view']>) {
  seq += 1;
  link.emit('deltas', { epoch: 'made-up', deltas: [{ event: 'domain', data: { ...domain.view, ...view }, seq }] });
}
function remove(domain: Domain) {
  seq += 1;
  const { hostId, uuid } = domain.view;
  link.emit('deltas', { epoch: 'made-up', deltas: [{ event: 'domain', data: { removed: true, hostId, uuid }, seq }] });
}

describe('actions', () => {
  it('say why they cannot be done now', () => {
    const domain = one();
    const why = (id: Parameters<typeof domainAction>[0]) => offFor(domainAction(id), [domain], context);
    expect(why('start')).toMatch(/already running/);
    expect(why('shutdown')).toBeNull();
    expect(why('delete')).toMatch(/shut it down first/);
    change(domain, { state: 'shutoff', id: null });
    expect(why('start')).toBeNull();
    expect(why('shutdown')).toMatch(/is not running/);
    expect(why('console')).toMatch(/is not running/);
    change(domain, { job: { migrationId: 'm', side: 'source', percent: 1 } });
    expect(why('start')).toMatch(/is being migrated/);
    change(domain, { job: null, stale: true });
    expect(why('start')).toMatch(/is not connected/);
    expect(offFor(domainAction('start'), [], context)).toBe('Nothing is selected');
  });

  it('are done to those of several that they can be done to', async () => {
    link.answer('domains.act', () => one().view);
    change(one(0), { state: 'shutoff' });
    change(one(1), { state: 'shutoff' });
    runOn(domainAction('start'), all(), context);
    await settled();
    expect(link.said('domains.act').map(({ uuid, action }) => [uuid, action])).toEqual([
      [one(0).view.uuid, 'start'],
      [one(1).view.uuid, 'start'],
    ]);
  });

  it('ask before they stop several machines, and not for one', () => {
    link.answer('domains.act', () => one().view);
    runOn(domainAction('shutdown'), all().slice(0, 2), context);
    expect(context.dialogs.open).toMatchObject({ kind: 'several', action: 'shutdown' });
    expect(link.said('domains.act')).toEqual([]);
    runOn(domainAction('shutdown'), [one()], context);
    expect(link.said('domains.act')).toHaveLength(1);
  });

  it('tell of scheduled passes only while they run, and where they failed', () => {
    const scan = (id: string, state: ScanView['state'], scheduled: boolean) =>
      ({
        id,
        state,
        scheduled,
        cidr: id,
        probed: 0,
        total: 0,
        found: [],
        error: null,
        startedAt: id,
        endedAt: id,
      }) as never;
    const scans = [
      scan('asked', 'completed', false),
      scan('routine', 'completed', true),
      scan('now', 'running', true),
      scan('bad', 'failed', true),
    ];
    link.emit('deltas', {
      epoch: 'made-up',
      deltas: scans.map((data) => ({ event: 'scan', data, seq: (seq += 1) })),
    });
    expect(context.tasks.list.map(({ id }) => id).sort()).toEqual(['asked', 'bad', 'now']);
  });

  it('show what failed as a sentence, and keep it in the tasks', async () => {
    link.answer('domains.act', () => Promise.reject(new Failure('libvirt', 'kvm1 did not start web01: no memory.')));
    change(one(), { state: 'shutoff' });
    runOn(domainAction('start'), [one()], context);
    expect(context.tasks.list[0]).toMatchObject({ what: 'Run', state: 'running', target: one().view.name });
    await settled();
    expect(context.toasts.list.map(({ message }) => message)).toEqual(['kvm1 did not start web01: no memory.']);
    expect(context.tasks.list[0]).toMatchObject({ state: 'failed', err: { code: 'libvirt' } });
  });

  it('never change what is shown before the main side says so', () => {
    link.answer('domains.act', () => one().view);
    runOn(domainAction('suspend'), [one()], context);
    expect(one().view.state).toBe('running');
  });

  it('open dialogs with what they are about', () => {
    runOn(domainAction('migrate'), [one()], context);
    const { hostId, uuid } = one().view;
    expect(context.dialogs.open).toEqual({ kind: 'migrate', domains: [{ hostId, uuid }], to: null });
    const [host] = fleet.hostList;
    runOn(hostAction('remove'), host ? [host] : [], context);
    expect(context.dialogs.open).toEqual({ kind: 'remove-host', hostId: host?.id });
  });
});

describe('the selection', () => {
  const keys = () => all().map(({ key }) => key);

  it('takes one, one more, a range, and all', () => {
    const selection = new Selection(fleet);
    const [a, b, c, d] = keys() as [string, string, string, string];
    selection.pick(a);
    selection.pick(c, { toggle: true });
    expect([...selection.keys]).toEqual([a, c]);
    selection.pick(a, { toggle: true });
    expect([...selection.keys]).toEqual([c]);
    selection.pick(b);
    selection.pick(d, { range: keys() });
    expect([...selection.keys]).toEqual([b, c, d]);
    selection.pick(a, { range: keys() });
    expect([...selection.keys]).toEqual([a, b]);
    selection.all(keys());
    expect(selection.domains).toHaveLength(8);
  });

  it('is either VMs or a host', () => {
    const selection = new Selection(fleet);
    selection.pick(one().key);
    selection.pickHost('host-1');
    expect(selection.domains).toEqual([]);
    expect(selection.host?.id).toBe('host-1');
    selection.pick(one().key);
    expect(selection.host).toBeNull();
  });

  it('goes with a VM to its new host, whichever side is told first', () => {
    const selection = new Selection(fleet);
    const moving = one();
    selection.pick(moving.key);
    change(moving, { hostId: 'host-2' });
    remove(moving);
    expect(selection.domain?.view).toMatchObject({ hostId: 'host-2', uuid: moving.view.uuid });
  });

  it('lets go of a VM that is gone', () => {
    const selection = new Selection(fleet);
    selection.pick(one().key);
    remove(one());
    expect(selection.domains).toEqual([]);
  });
});

describe('choices of the window', () => {
  it('are written once for many changes, and win over what is read later', async () => {
    const writes: (() => void)[] = [];
    link.answer('preferences.get', () => ({ theme: 'dark' as const, window: { tab: 'vms', panes: { tree: false } } }));
    link.answer('preferences.set', () => ({ theme: 'dark' as const, window: {} }));
    const preferences = new PreferencesStore(link, { later: (write) => writes.push(write) });
    preferences.set('tab', 'hosts');
    await preferences.load();
    preferences.set('sort', 'name');
    expect(preferences.theme).toBe('dark');
    expect(writes).toHaveLength(1);
    writes[0]?.();
    expect(link.said('preferences.set')).toEqual([
      { theme: 'dark' as const, window: { tab: 'hosts', panes: { tree: false }, sort: 'name' } },
    ]);
  });

  it('of another kind than expected are not taken', async () => {
    link.answer('preferences.get', () => ({
      theme: 'system' as const,
      window: { panes: 'wide', columns: { 0: 'name' } },
    }));
    const preferences = new PreferencesStore(link, { later: () => {} });
    await preferences.load();
    expect(preferences.get('panes', { tree: true })).toEqual({ tree: true });
    expect(preferences.get('columns', ['name'])).toEqual(['name']);
  });

  it('give each host a tint of its own, which stays when others come and go', () => {
    const preferences = new PreferencesStore(link, { later: () => {} });
    const tints = new Tints(preferences);
    tints.settle(['a', 'b', 'c']);
    const before = ['a', 'b', 'c'].map((id) => tints.of(id));
    expect(new Set(before).size).toBe(3);
    tints.settle(['c', 'd']);
    expect(tints.of('c')).toBe(before[2]);
    expect(before).not.toContain(tints.of('d'));
  });
});
