// What a domain goes through on one host: its states, their reasons, and the events in libvirt's order.
import { domainState, param, pausedReason, shutoffReason } from '../src-main/libvirt/index.ts';
import type { Client } from './client.ts';
import type { Daemon } from './daemon.ts';
import type { Domain } from './domain.ts';
import { refuse } from './refusal.ts';

/** Lifecycle events as numbers: what, and its detail. */
export const told = {
  added: [0, 0],
  updated: [0, 1],
  renamedTo: [0, 2],
  removed: [1, 0],
  renamedFrom: [1, 1],
  booted: [2, 0],
  startedMigrated: [2, 1],
  restored: [2, 2],
  paused: [3, 0],
  pausedMigrated: [3, 1],
  pausedPostcopy: [3, 7],
  unpaused: [4, 0],
  resumedMigrated: [4, 1],
  resumedPostcopy: [4, 3],
  stoppedShutdown: [5, 0],
  destroyed: [5, 1],
  stoppedMigrated: [5, 3],
  stoppedSaved: [5, 4],
  stoppedSnapshot: [5, 6],
  failed: [5, 5],
  shutdownFinished: [6, 0],
  shutdownByGuest: [6, 1],
  shutdownByHost: [6, 2],
} as const satisfies Record<string, readonly [number, number]>;

const { running, paused, shutoff } = domainState;

export function setState(daemon: Daemon, domain: Domain, state: number, reason: number): void {
  domain.state = state;
  domain.reason = reason;
  domain.sinceMs = daemon.fleet.clock.now();
}

/** @throws Refusal unless the domain is active */
export function mustRun(domain: Domain): void {
  if (!domain.active) throw refuse.notRunning();
}

/** The guest runs from here on. */
export function go(daemon: Daemon, domain: Domain, reason: number): void {
  domain.guest?.go();
  setState(daemon, domain, running, reason);
  daemon.fleet.began(domain.uuid);
  for (const client of daemon.clients) client.nudge();
}

export function hold(daemon: Daemon, domain: Domain, reason: number): void {
  domain.guest?.stop();
  setState(daemon, domain, paused, reason);
}

/** QEMU has ended; a transient domain is forgotten. Without an event. */
export function quit(daemon: Daemon, domain: Domain, reason: number): void {
  domain.console?.end();
  domain.guest?.stop();
  domain.guest = null;
  domain.id = -1;
  domain.endsWith = null;
  const { definition } = domain;
  domain.live = null;
  setState(daemon, domain, shutoff, reason);
  for (const off of [...domain.whenOff]) off();
  domain.whenOff.clear();
  // Its name is still asked for, by the event that tells of its end.
  if (!domain.persistent) domain.live = definition;
  daemon.forget(domain);
}

/** Ends it, and tells. */
export function stop(
  daemon: Daemon,
  domain: Domain,
  how: 'destroyed' | 'shutdown' | 'failed' | 'saved' | 'migrated' | 'snapshot',
): void {
  const dom = domain.ref;
  const [reason, event] = {
    destroyed: [shutoffReason.destroyed, told.destroyed],
    shutdown: [shutoffReason.shutdown, told.stoppedShutdown],
    failed: [6, told.failed],
    saved: [shutoffReason.saved, told.stoppedSaved],
    migrated: [shutoffReason.migrated, told.stoppedMigrated],
    snapshot: [7, told.stoppedSnapshot],
  }[how] as [number, readonly [number, number]];
  // QEMU says so itself when it is told to go.
  if (how === 'destroyed') daemon.tellLifecycle(domain, told.shutdownByHost);
  quit(daemon, domain, reason);
  daemon.tellLifecycle(domain, event, dom);
}

/** @throws Refusal where what it needs is not on this host */
export function checkMeans(
  daemon: Daemon,
  domain: { disks: Domain['definition']['disks']; nics: Domain['definition']['nics'] },
): void {
  const { fleet, host, networks } = daemon;
  for (const { path, type } of domain.disks) {
    if (type !== 'file' || path === null || fleet.storage.file(host.name, path)) continue;
    throw refuse.storage('system_error', `Cannot access storage file '${path}': No such file or directory`);
  }
  for (const { type, source } of domain.nics) {
    const network = networks.find(({ name }) => name === source);
    if (type === 'network' && !network) {
      throw refuse.network('no_network', `Network not found: no network with matching name '${source}'`);
    }
    if (type === 'network' && !network?.active) {
      throw refuse.network('operation_invalid', `Requested operation is not valid: network '${source}' is not active`);
    }
    if (type === 'bridge' && !host.bridges.includes(source)) {
      throw refuse.none('system_error', `Cannot get interface MTU on '${source}': No such device`);
    }
  }
}

const FLAG_PAUSED = 1;
const FLAG_AUTODESTROY = 2;

export const lifecycle = {
  /** Flags of `domain_create_with_flags`. */
  async start(daemon: Daemon, domain: Domain, flags: number, client: Client): Promise<void> {
    await domain.lock.change(async () => {
      if (domain.active) {
        throw refuse.qemu('operation_invalid', 'Requested operation is not valid: domain is already running');
      }
      checkMeans(daemon, domain.definition);
      const { saved } = domain;
      const guest = daemon.launch(domain);
      setState(daemon, domain, paused, 11);
      if (flags & FLAG_AUTODESTROY) domain.endsWith = client;
      await daemon.fleet.clock.sleep(daemon.fleet.timings.start);
      if (!domain.active)
        throw refuse.qemu('operation_failed', 'operation failed: domain was destroyed while it started');
      if (saved) {
        guest.takeOver(saved);
        domain.saved = null;
      }
      const isPaused = (flags & FLAG_PAUSED) !== 0;
      if (isPaused) {
        hold(daemon, domain, pausedReason.user);
        daemon.tellLifecycle(domain, saved ? told.restored : told.booted);
        daemon.tellLifecycle(domain, told.paused);
        return;
      }
      if (saved) daemon.tellLifecycle(domain, told.restored);
      go(daemon, domain, saved ? 3 : 1);
      daemon.tellLifecycle(domain, saved ? [4, 2] : told.unpaused);
      if (!saved) daemon.tellLifecycle(domain, told.booted);
    });
  },

  async destroy(daemon: Daemon, domain: Domain): Promise<void> {
    mustRun(domain);
    stop(daemon, domain, 'destroyed');
  },

  async suspend(daemon: Daemon, domain: Domain): Promise<void> {
    await domain.lock.change(
      () => {
        mustRun(domain);
        if (domain.state === paused) return;
        hold(daemon, domain, pausedReason.user);
        daemon.tellLifecycle(domain, told.paused);
      },
      { despite: true },
    );
  },

  async resume(daemon: Daemon, domain: Domain): Promise<void> {
    await domain.lock.change(() => {
      mustRun(domain);
      if (domain.state === running) {
        throw refuse.qemu('operation_invalid', 'Requested operation is not valid: domain is already running');
      }
      go(daemon, domain, 5);
      daemon.tellLifecycle(domain, told.unpaused);
    });
  },

  /** Asks the guest, which takes its time, or does not listen. */
  async shutdown(daemon: Daemon, domain: Domain): Promise<void> {
    if (!domain.active) {
      throw refuse.qemu('operation_invalid', 'Requested operation is not valid: domain is not running');
    }
    await domain.lock.change(() => mustRun(domain));
    if (domain.state === running && domain.guest?.profile.obeys) lifecycle.leftByItself(daemon, domain, 'poweroff');
  },

  async reboot(daemon: Daemon, domain: Domain): Promise<void> {
    await domain.lock.change(() => mustRun(domain));
    if (domain.state === running && domain.guest?.profile.obeys) lifecycle.leftByItself(daemon, domain, 'reboot');
  },

  async reset(daemon: Daemon, domain: Domain): Promise<void> {
    await domain.lock.change(() => {
      mustRun(domain);
      domain.guest?.reboot();
      daemon.tell('reboot', domain);
    });
  },

  leftByItself(daemon: Daemon, domain: Domain, how: 'poweroff' | 'reboot'): void {
    const { clock, timings } = daemon.fleet;
    const { id } = domain;
    const still = () => domain.active && domain.id === id;
    clock.after(timings.shutdown / 2, () => {
      if (!still()) return;
      if (how === 'reboot') {
        domain.guest?.reboot();
        return daemon.tell('reboot', domain);
      }
      domain.guest?.stop();
      setState(daemon, domain, domainState.shutdown, 0);
      daemon.tellLifecycle(domain, told.shutdownByGuest);
      domain.console?.end();
      clock.after(timings.shutdown / 2, () => {
        if (still()) stop(daemon, domain, 'shutdown');
      });
    });
  },

  async managedSave(daemon: Daemon, domain: Domain): Promise<void> {
    mustRun(domain);
    if (!domain.persistent) {
      throw refuse.qemu(
        'operation_invalid',
        'Requested operation is not valid: cannot do managed save for transient domain',
      );
    }
    await domain.lock.begin('save');
    try {
      mustRun(domain);
      const wasRunning = domain.state === running;
      if (wasRunning) {
        hold(daemon, domain, 3);
        daemon.tellLifecycle(domain, told.paused);
      }
      await daemon.fleet.clock.sleep(daemon.fleet.timings.save);
      mustRun(domain);
      const { guest } = domain;
      if (guest) domain.saved = { runMs: guest.runMs, line: guest.shell.line };
      daemon.tell('job_completed', domain, { params: [param.i32('operation', 2)] });
      stop(daemon, domain, 'saved');
    } finally {
      domain.lock.end();
    }
  },
};
