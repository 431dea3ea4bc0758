// The target's half of a migration: prepare, finish, and its end where that does not come.
import { domainState, migrateFlags as flag, pausedReason, runningReason } from '../../src-main/libvirt/index.ts';
import type { Dom } from '../../src-main/libvirt/index.ts';
import type { Daemon } from '../daemon.ts';
import { readDefinition, renamed, type Definition } from '../definition.ts';
import { checkMeans, go, hold, setState, stop, told } from '../lifecycle.ts';
import { checkProcessor } from '../processor.ts';
import { refuse } from '../refusal.ts';
import { strike } from './deaths.ts';
import type { Driver, Incoming } from './jobs.ts';
import { addressIn, broken, check, completedStats, cookieOf, notMigrating, pathIn, text, type Step } from './params.ts';

export async function prepare(daemon: Daemon, step: Step, driver: Driver) {
  const { fleet, host } = daemon;
  const given = check(step, 'Prepare');
  const xml = text(given['destination_xml']);
  if (xml === null) throw refuse.qemu('internal_error', 'internal error: no domain XML passed');
  let definition = readDefinition(xml, daemon.defaults);
  const name = text(given['destination_name']);
  if (name !== null && name !== definition.name) definition = renamed(definition, name);
  fleet.moves.set(definition.uuid, { ...fleet.moves.get(definition.uuid), target: { daemon, driver } });
  await strike(fleet, 'prepare', 'request', definition);
  if (/<hostuuid>([^<]*)</.exec(step.cookie.toString())?.[1] === host.uuid) {
    throw refuse.qemu('internal_error', `internal error: Attempt to migrate guest to the same host ${host.uuid}`);
  }
  const offline = (step.flags & flag.offline) !== 0;
  checkFree(daemon, definition);
  const { port, listens, uri, at } = whereTo(daemon, text(given['migrate_uri']));
  try {
    if (!daemon.defaults.types.includes(definition.type)) {
      throw refuse.none('invalid_arg', `invalid argument: no emulator for domaintype=${definition.type}`);
    }
    if (!daemon.defaults.machines.includes(definition.machine)) {
      const what = `unsupported machine type '${definition.machine}'`;
      throw refuse.qemu('config_unsupported', `unsupported configuration: ${what}`);
    }
    if (!offline) {
      checkMeans(daemon, definition);
      checkProcessor(host, definition.xml);
    }
  } catch (error) {
    if (listens) daemon.freePort(port);
    throw error;
  }
  const known = daemon.domains.get(definition.uuid);
  const domain = known ?? daemon.create(definition);
  if (!known) domain.persistent = null;
  await domain.lock.begin('migration in');
  const persist = (step.flags & flag.persist_dest) !== 0;
  domain.live = definition;
  domain.incoming = {
    driver,
    daemon,
    domain,
    flags: step.flags,
    port,
    at,
    persist,
    from: null,
    arrived: null,
    finishing: false,
  };
  if (offline) {
    await strike(fleet, 'prepare', 'reply', domain);
    return { cookie: Buffer.alloc(0), uri: null };
  }
  daemon.launch(domain, definition);
  setState(daemon, domain, domainState.paused, 11);
  const { incoming } = domain;
  domain.whenOff.add(() => dropTarget(incoming));
  fleet.incoming.set(`${host.name}:${at}`, incoming);
  await fleet.clock.sleep(fleet.timings.prepare);
  if (domain.incoming !== incoming) throw refuse.qemu('operation_failed', 'operation failed: domain is not running');
  setState(daemon, domain, domainState.paused, pausedReason.migration);
  daemon.tellLifecycle(domain, told.startedMigrated);
  await strike(fleet, 'prepare', 'reply', domain);
  return { cookie: cookieOf(daemon, domain), uri };
}

/** @throws Refusal when the name or the UUID is somebody else's, or runs here */
export function checkFree(daemon: Daemon, { name, uuid }: { name: string; uuid: string }, running = true): void {
  const twin = daemon.domains.get(uuid);
  if (twin && twin.name !== name) {
    const message = `operation failed: domain '${twin.name}' is already defined with uuid ${uuid}`;
    throw refuse.domain('operation_failed', message);
  }
  if (twin && running && (twin.active || twin.incoming)) {
    throw refuse.domain('operation_invalid', `Requested operation is not valid: domain is already active as '${name}'`);
  }
  const namesake = twin ? null : daemon.byName(name);
  if (namesake) {
    const message = `operation failed: domain '${name}' already exists with uuid ${namesake.uuid}`;
    throw refuse.domain('operation_failed', message);
  }
}

/** Where the target listens, and what the source is told of it. */
function whereTo(
  daemon: Daemon,
  given: string | null,
): { port: number; listens: boolean; uri: string | null; at: string } {
  const path = pathIn(given);
  if (path !== null) {
    if (!daemon.host.unix.folders.has(path.slice(0, path.lastIndexOf('/')))) {
      throw refuse.none('system_error', `Failed to bind socket to ${path}: No such file or directory`);
    }
    return { port: 0, listens: false, uri: null, at: path };
  }
  if (given === null) {
    const port = daemon.takePort();
    return { port, listens: true, uri: `tcp:${daemon.host.name}:${port}`, at: String(port) };
  }
  const { port } = addressIn(given);
  if (port !== null) return { port, listens: false, uri: null, at: String(port) };
  const taken = daemon.takePort();
  return { port: taken, listens: true, uri: `${given.replace(/\/$/, '')}:${taken}`, at: String(taken) };
}

export async function finish(
  daemon: Daemon,
  step: Step & { cancelled: number },
): Promise<{ dom: Dom; cookie: Buffer }> {
  const { fleet } = daemon;
  const given = check(step, 'Finish');
  const name = text(given['destination_name']) ?? '';
  const domain = daemon.byName(name);
  if (domain) await strike(fleet, 'finish', 'request', domain);
  if (!domain) throw refuse.noDomain(`no domain with matching name '${name}'`);
  const { incoming } = domain;
  if (!incoming) throw notMigrating(domain);
  if (step.cancelled) {
    dropTarget(incoming);
    await strike(fleet, 'finish', 'reply', domain);
    throw refuse.qemu('migrate_finish_ok', 'migration successfully aborted');
  }
  const offline = (incoming.flags & flag.offline) !== 0;
  if (!offline && !incoming.arrived) {
    dropTarget(incoming);
    throw refuse.qemu('operation_failed', 'operation failed: migration in job: unexpectedly failed');
  }
  incoming.finishing = true;
  await fleet.clock.sleep(fleet.timings.finish);
  if (domain.incoming !== incoming) throw refuse.qemu('operation_failed', 'operation failed: domain is not running');
  if (offline) settleOffline(daemon, incoming);
  else settle(daemon, incoming, step);
  const dom = domain.ref;
  await strike(fleet, 'finish', 'reply', domain);
  return { dom, cookie: offline ? Buffer.alloc(0) : cookieOf(daemon, domain) };
}

function settle(daemon: Daemon, incoming: Incoming, { cookie, flags }: Step): void {
  const { domain, from, arrived, persist } = incoming;
  domain.incoming = null;
  domain.lock.end();
  domain.whenOff.clear();
  letGo(daemon, incoming);
  if (persist) {
    const wasDefined = domain.persistent !== null;
    domain.persistent = persistentIn(daemon, cookie) ?? domain.live;
    daemon.tellLifecycle(domain, wasDefined ? told.updated : told.added);
  }
  if (from) domain.completed = completedStats(from.transfer, 4);
  if (domain.guest && arrived && !domain.guest.running) domain.guest.takeOver(arrived);
  if (flags & flag.paused) {
    hold(daemon, domain, pausedReason.user);
    daemon.tellLifecycle(domain, told.paused);
  } else {
    go(daemon, domain, runningReason.migrated);
    daemon.tellLifecycle(domain, told.resumedMigrated);
  }
}

function settleOffline(daemon: Daemon, { domain }: Incoming): void {
  const wasDefined = domain.persistent !== null;
  domain.incoming = null;
  domain.lock.end();
  domain.persistent = domain.live;
  domain.live = null;
  daemon.tellLifecycle(domain, wasDefined ? told.updated : told.added);
}

function persistentIn(daemon: Daemon, cookie: Buffer): Definition | null {
  const [xml] = /<domain [^]*<\/domain>/.exec(cookie.toString()) ?? [];
  return xml === undefined ? null : readDefinition(xml, daemon.defaults);
}

function letGo(daemon: Daemon, { port, at }: Incoming): void {
  daemon.fleet.incoming.delete(`${daemon.host.name}:${at}`);
  daemon.freePort(port);
}

/** The target's half ends, and with it the way of the memory. */
export function dropTarget(incoming: Incoming, how: 'failed' | 'destroyed' = 'failed'): void {
  const { daemon, domain, from } = incoming;
  if (domain.incoming !== incoming) return;
  domain.incoming = null;
  letGo(daemon, incoming);
  domain.lock.end();
  if (domain.active) stop(daemon, domain, how);
  else {
    domain.live = null;
    if (!domain.persistent) daemon.domains.delete(domain.uuid);
  }
  from?.transfer.end(broken());
}

/** Not finished: it ends. One that runs already, by post-copy, is nobody's to end: its guest is there and nowhere else. */
export function targetDriverGone(incoming: Incoming): void {
  if (incoming.finishing) return;
  const { domain, daemon, from } = incoming;
  if (!domain.guest?.running) return dropTarget(incoming, 'destroyed');
  domain.incoming = null;
  domain.whenOff.clear();
  letGo(daemon, incoming);
  domain.lock.end();
  if (from?.transfer.over === false) setState(daemon, domain, domainState.running, runningReason.postcopy_failed);
}
