// Builds the rooms and joins them; knows all of them, decides nothing. As a program, loads the shell it runs in.
import { isIP } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import type { Delta } from '../contract/events.ts';
import { createApi } from './api/create-api.ts';
import { LogTail } from './api/diagnostics.ts';
import { Door } from './api/door.ts';
import type { Drover, Start } from './api/drover.ts';
import { Feed } from './api/feed.ts';
import { Consoles } from './consoles/consoles.ts';
import { Demo } from './demo/demo.ts';
import { identifyBySsh, openDiscovery } from './discovery/index.ts';
import { Actions } from './fleet/actions.ts';
import { systemClock } from './fleet/clock.ts';
import { Fleet } from './fleet/fleet.ts';
import { watchForWake } from './fleet/wake.ts';
import { Questions } from './fleet/questions.ts';
import { Journal } from './migration/recovery/journal.ts';
import { Migrations } from './migration/migrations.ts';
import { TwoHomes } from './migration/two-homes.ts';
import { Keychain, keptForm, Settings } from './settings/index.ts';
import { KnownHosts, Routes, SecretCache, SshConfig } from './ssh/index.ts';
import { repository, version } from './version.ts';

export const startDrover: Start = async ({ dataDir, log: print, cipher = null, demo: withDemo }) => {
  const tail = new LogTail();
  const log = (line: string) => {
    tail.add(line);
    print(line);
  };
  const settings = await Settings.open({ dataDir, warn: log });
  const feed = new Feed();
  const told: ((delta: Delta) => void)[] = [];
  const tell = (delta: Delta) => {
    feed.push(delta);
    for (const listener of told) listener(delta);
  };
  const keychain = new Keychain(cipher, cipher && (await settings.document('keychain', keptForm, {})));
  const questions = new Questions(tell, keychain);
  const logins = {
    knownHosts: KnownHosts.beside(settings.path('known_hosts')),
    secrets: new SecretCache(),
    routes: new Routes(new SshConfig()),
  };
  const fleet = new Fleet({ logins, questions, tell, save: (hosts) => settings.hosts.set(hosts) });
  const consoles = new Consoles(fleet);
  const migrations = new Migrations({
    fleet,
    tell,
    beforeSwitch: (ref, to) => consoles.beforeSwitch(ref, to),
    journal: await Journal.open(settings.path('migrations.log'), log),
  });
  const twoHomes = new TwoHomes({ fleet, tell, clock: systemClock });
  told.push((delta) => twoHomes.seen(delta));
  const discovery = await openDiscovery({
    store: settings.store('neighbours'),
    scheduleStore: settings.store('schedules'),
    fleet: () =>
      fleet.hosts
        .filter((host) => host.address !== null && isIP(host.address) > 0)
        .map((host) => ({
          id: host.id,
          address: host.address ?? '',
          port: host.uri.port ?? 22,
          libvirtVersion: host.info?.libvirtVersion ?? null,
          online: host.state === 'online',
          fingerprint: host.fingerprint,
          uuid: host.info?.uuid ?? null,
          uri: host.uri.text,
          label: host.label,
        })),
    addHost: (uri, trust) => fleet.add(uri, undefined, trust).view(),
    identify: identifyBySsh(logins),
    busy: () =>
      migrations
        .list()
        .flatMap(({ state, from, to }) =>
          state === 'running'
            ? fleet.hosts.flatMap((host) => ([from, to].includes(host.id) && host.address ? [host.address] : []))
            : [],
        ),
    notice: (data) => tell({ event: 'notice', data }),
  });
  discovery.scans.onChange((data) => tell({ event: 'scan', data }));
  feed.onWatched((watched) => fleet.setWatched(watched));

  const actions = new Actions(fleet);
  const demo = new Demo({
    addHost: (uri, label, group) => {
      const { id } = fleet.add(uri, label, undefined, true);
      return fleet.update(id, { group }).view();
    },
    removeHost: (id) => fleet.remove(id),
  });
  const rooms = { version, feed, fleet, actions, questions, keychain, consoles, migrations, discovery, demo, settings };
  const api = createApi({ ...rooms, log: tail });
  const door = new Door(api, feed, (error, name) => {
    log(`${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  });
  const sleepless = watchForWake({ woke: () => fleet.woke() });
  fleet.restore(settings.hosts.value, log);
  migrations.recover(log);
  if (withDemo) await demo.start();

  const drover: Drover = {
    door,
    version,
    windows: (count) => questions.windows(count),
    close: async () => {
      sleepless();
      await migrations.close();
      consoles.closeAll();
      await discovery.close();
      await fleet.close();
      await demo.stop();
      feed.flush();
      feed.close();
      await settings.close();
    },
  };
  return drover;
};

// By default the heap may double before it is cleared up; of what 1,000 hosts hold, that is more than it is worth.
setFlagsFromString('--heap-growing-percent=40');

// A stray error is a bug of ours, and no reason to drop the migrations that are under way.
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    process.stderr.write(`${event}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  });
}

if (process.versions['electron']) {
  const { runElectron } = await import('./shells/electron.ts');
  await runElectron(startDrover, { version, repository });
} else {
  const { runCli } = await import('./cli/run.ts');
  await runCli(startDrover, process.argv.slice(2), version);
}
