// Carries out every call of the contract on the rooms. Each line says where a call goes; nothing is decided here.
import type { Args } from '../../contract/calls.ts';
import type { Snapshot } from '../../contract/events.ts';
import type { DomainView, Preferences } from '../../contract/model.ts';
import type { Consoles } from '../consoles/consoles.ts';
import type { Show } from '../consoles/viewer.ts';
import type { Demo } from '../demo/demo.ts';
import type { Discovery } from '../discovery/index.ts';
import type { Actions } from '../fleet/actions.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { redefine } from '../fleet/redefine.ts';
import { Snapshots } from '../fleet/snapshots.ts';
import type { Questions } from '../fleet/questions.ts';
import type { Migrations } from '../migration/migrations.ts';
import type { Keychain, Settings } from '../settings/index.ts';
import type { Api, Caller } from './api.ts';
import { diagnostics, type LogTail } from './diagnostics.ts';
import type { Feed } from './feed.ts';

export interface Rooms {
  version: string;
  feed: Feed;
  fleet: Fleet;
  actions: Actions;
  questions: Questions;
  keychain: Keychain;
  consoles: Consoles;
  migrations: Migrations;
  discovery: Discovery;
  settings: Settings;
  demo: Demo;
  log: LogTail;
}

export function createApi(rooms: Rooms): Api {
  const { fleet, actions, consoles, migrations, discovery, demo, questions, keychain, settings } = rooms;
  const snapshots = new Snapshots(fleet);
  const startedMs = performance.now();
  const lookers = new WeakSet<Caller>();
  const started = async (id: string, act: (id: string) => Promise<unknown>) => {
    await act(id);
    return migrations.get(id).view();
  };

  return {
    'fleet.snapshot': () => snapshot(rooms),
    'fleet.look': ({ hosts }, caller) => {
      if (!lookers.has(caller)) caller.onEnd(() => fleet.look(caller, []));
      lookers.add(caller);
      fleet.look(caller, hosts);
      return null;
    },
    'fleet.health': () => ({
      version: rooms.version,
      epoch: rooms.feed.epoch,
      uptimeMs: Math.round(performance.now() - startedMs),
      hosts: fleet.hosts.length,
      domains: fleet.domains.length,
    }),

    'fleet.diagnostics': () =>
      diagnostics({
        version: rooms.version,
        uptimeMs: Math.round(performance.now() - startedMs),
        hosts: fleet.views(),
        domains: fleet.domains,
        migrations: migrations.list(),
        log: rooms.log.all,
      }),

    'hosts.list': () => fleet.views(),
    'hosts.get': ({ id }) => fleet.host(id).view(),
    'hosts.add': ({ uri, label, trust }) => fleet.add(uri, label, trust).view(),
    'hosts.trust': async ({ id, fingerprint, replace }) => {
      const host = fleet.host(id);
      await host.trust(fingerprint, replace ?? false);
      return host.view();
    },
    'hosts.connect': ({ id }) => {
      const host = fleet.host(id);
      host.connect();
      return host.view();
    },
    'hosts.disconnect': async ({ id }) => {
      const host = fleet.host(id);
      await host.disconnect();
      return host.view();
    },
    'hosts.update': ({ id, ...changes }) => fleet.update(id, changes).view(),
    'hosts.remove': async ({ id }) => {
      await fleet.remove(id);
      return { removed: true, id };
    },
    'hosts.domains': ({ id }) => fleet.host(id).domains.all,
    'hosts.evacuate': ({ id, ...options }) => migrations.evacuate(id, options),

    'domains.list': (filter) => listDomains(fleet, filter),
    'domains.get': (ref) => fleet.domain(ref),
    'domains.xml': async ({ inactive, secure, ...ref }) => ({
      xml: await actions.xml(ref, inactive ?? false, secure ?? false),
    }),
    'domains.history': (ref) => fleet.history(ref),
    'domains.events': (ref) => ({ events: fleet.happenings(ref) }),
    'domains.redefine': ({ xml, was, validate, ...ref }) =>
      redefine(fleet, ref, { xml, was, validate: validate ?? true }),
    'domains.act': ({ action, ...ref }) => actions.act(ref, action),
    'domains.update': async ({ autostart, tags, ...ref }) => {
      if (autostart !== undefined) await actions.setAutostart(ref, autostart);
      return tags === undefined ? fleet.domain(ref) : actions.setTags(ref, tags);
    },
    'domains.define': ({ id, xml }) => actions.define(id, xml),
    'domains.undefine': async ({ storage, nvram, ...ref }) => {
      await actions.undefine(ref, { storage: storage ?? false, nvram: nvram ?? false });
      return { removed: true, ...ref };
    },

    'snapshots.list': (ref) => snapshots.list(ref),
    'snapshots.create': ({ name, description, diskOnly, ...ref }) =>
      snapshots.create(ref, { name, description: description ?? '', diskOnly: diskOnly ?? false }),
    'snapshots.revert': ({ name, force, ...ref }) => snapshots.revert(ref, name, force ?? false),
    'snapshots.delete': async ({ name, children, ...ref }) => {
      await snapshots.delete(ref, name, children ?? false);
      return { removed: true, ...ref, name };
    },

    'migrations.preflight': ({ uuid, from, to, options }) => {
      const ref = { hostId: from, uuid };
      return to === undefined
        ? migrations.preflightAll(ref, options ?? {})
        : migrations.preflight(ref, to, options ?? {});
    },
    'migrations.remedy': ({ uuid, from, to, options, remedy }) =>
      migrations.remedy({ hostId: from, uuid }, to, options ?? {}, remedy),
    'migrations.start': ({ uuid, from, to, options, batch }) =>
      migrations.start({ hostId: from, uuid }, to, options ?? {}, batch),
    'migrations.list': () => migrations.list(),
    'migrations.options': () => migrations.described,
    'migrations.get': ({ id }) => migrations.get(id).view(),
    'migrations.cancel': ({ id }) => started(id, () => migrations.get(id).cancel()),
    'migrations.postcopy': ({ id }) => started(id, () => migrations.get(id).postCopy()),
    'migrations.update': ({ id, ...limits }) => started(id, () => migrations.get(id).update(limits)),
    'migrations.resolve': ({ id, action }) => started(id, () => migrations.get(id).resolve(action)),

    'scans.start': (args) => discovery.scans.start(args),
    'scans.get': ({ id }) => discovery.scans.get(id),
    'scans.cancel': ({ id }) => discovery.scans.cancel(id),
    'scans.update': ({ id, whileMigrating }) => discovery.scans.update(id, whileMigrating),
    'scans.forecast': (args) => discovery.scans.forecast(args),
    'schedules.get': () => discovery.schedules.view(),
    'schedules.set': (args) => discovery.schedules.set(args),
    'schedules.run': ({ pass }) => discovery.schedules.run(pass),
    'neighbours.list': () => discovery.neighbours(),
    'neighbours.adopt': (args) => discovery.adopt(args),
    'neighbours.suggestions': (args) => discovery.suggestions(args),

    'questions.forget': async () => ({ forgotten: await keychain.forgetAll() }),
    'questions.answer': ({ id, answers, keep }) => {
      questions.answer(id, answers, keep);
      return { taken: true };
    },
    'questions.list': () => questions.list,

    'consoles.open': ({ target, takeover, ...ref }, caller) =>
      openedFor(caller, consoles, (show) => consoles.open(ref, { target, takeover }, show)),
    'consoles.graphics': ({ target, ...ref }, caller) =>
      openedFor(caller, consoles, (show) => consoles.openGraphics(ref, target, show)),
    'consoles.write': async ({ consoleId, bytes }) => {
      await consoles.write(consoleId, bytes);
      return null;
    },
    'consoles.ack': ({ consoleId, bytes }) => {
      consoles.shown(consoleId, bytes);
      return null;
    },
    'consoles.close': ({ consoleId }) => {
      consoles.close(consoleId);
      return null;
    },

    'demo.start': () => demo.start(),
    'demo.stop': () => demo.stop(),
    'demo.faults': () => demo.faults(),
    'demo.fault': (fault) => demo.setFault(fault),
    'demo.clear': ({ kind }) => demo.clearFaults(kind ?? null),

    'preferences.get': () => settings.preferences.value,
    'preferences.set': (changes) => {
      const before = settings.preferences.value;
      const after: Preferences = {
        theme: changes.theme ?? before.theme,
        window: { ...before.window, ...changes.window },
      };
      settings.preferences.set(after);
      return after;
    },
  };
}

/** Everything as it is in this turn, with the number of the last delta told. */
function snapshot({ feed, fleet, migrations, discovery, questions }: Rooms): Snapshot {
  return {
    epoch: feed.epoch,
    seq: feed.seq,
    hosts: fleet.views(),
    domains: fleet.domains,
    migrations: migrations.list(),
    scans: discovery.scans.list(),
    questions: questions.list,
  };
}

function listDomains(fleet: Fleet, { host, state, tag, q }: Args<'domains.list'>): DomainView[] {
  const all = host === undefined ? fleet.domains : fleet.host(host).domains.all;
  const part = q?.toLowerCase();
  const tagged = tag?.toLowerCase();
  return all.filter(
    (domain) =>
      (state === undefined || domain.state === state) &&
      (tagged === undefined || domain.tags.some((one) => one.toLowerCase() === tagged)) &&
      (part === undefined || domain.name.toLowerCase().includes(part) || domain.uuid.startsWith(part)),
  );
}

async function openedFor(
  caller: Caller,
  consoles: Consoles,
  open: (show: (id: string) => Show) => Promise<string>,
): Promise<{ consoleId: string }> {
  const consoleId = await open((id) => ({
    data: (bytes) => caller.send('console.data', { consoleId: id, bytes }),
    note: (note) => caller.send('console.note', { consoleId: id, note }),
  }));
  caller.onEnd(() => consoles.close(consoleId));
  return { consoleId };
}
