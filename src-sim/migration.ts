// Migration as two daemons carry it out: the five steps, what each side holds between them, and what becomes of it
// when whoever drives them is gone.
import {
  domainState,
  migrateFlags as flag,
  param,
  paramRecord,
  pausedReason,
  runningReason,
} from '../src-main/libvirt/index.ts';
import type { Dom, Param, ParamKind } from '../src-main/libvirt/index.ts';
import type { Daemon } from './daemon.ts';
import { strike } from './deaths.ts';
import { readDefinition, renamed, type Definition } from './definition.ts';
import type { Domain } from './domain.ts';
import type { SimFleet } from './fleet.ts';
import { checkMeans, go, hold, mustRun, setState, stop, told } from './lifecycle.ts';
import type { Driver, Incoming, Outgoing } from './migration-jobs.ts';
import { refuse } from './refusal.ts';
import { Transfer } from './transfer.ts';
import { escaped } from './xml.ts';

export interface Step {
  params: Param[];
  cookie: Buffer;
  flags: number;
}

const kinds: Record<string, ParamKind> = {
  migrate_uri: 'str',
  destination_name: 'str',
  destination_xml: 'str',
  persistent_xml: 'str',
  bandwidth: 'u64',
  'bandwidth.postcopy': 'u64',
  graphics_uri: 'str',
  listen_address: 'str',
  migrate_disks: 'str',
  disks_port: 'i32',
  disks_uri: 'str',
  compression: 'str',
  'compression.mt.level': 'i32',
  'compression.mt.threads': 'i32',
  'compression.mt.dthreads': 'i32',
  'compression.xbzrle.cache': 'u64',
  'auto_converge.initial': 'i32',
  'auto_converge.increment': 'i32',
  'parallel.connections': 'i32',
  'tls.destination': 'str',
};
const ALL_FLAGS = 0x1fffff;
const MIB = 2 ** 20;

/** @throws Refusal on what the daemon does not know */
function check({ params, flags }: Pick<Step, 'params' | 'flags'>, step: string): Record<string, unknown> {
  const unknown = flags & ~ALL_FLAGS;
  if (unknown) {
    const message = `unsupported flags (0x${unknown.toString(16)}) in function qemuDomainMigrate${step}3Params`;
    throw refuse.qemu('invalid_arg', message);
  }
  for (const { name, kind } of params) {
    const wanted = kinds[name];
    if (!wanted) throw refuse.none('argument_unsupported', `parameter '${name}' not supported`);
    if (wanted !== kind) {
      throw refuse.none('invalid_arg', `invalid type '${kind}' for parameter '${name}', expected '${wanted}'`);
    }
  }
  return paramRecord(params);
}

const text = (value: unknown) => (typeof value === 'string' ? value : null);
const notMigrating = ({ name }: { name: string }) =>
  refuse.qemu('operation_invalid', `Requested operation is not valid: domain '${name}' is not being migrated`);
const aborted = () => refuse.qemu('operation_aborted', 'operation aborted: migration out job: canceled by client');
const broken = () => refuse.qemu('operation_failed', 'operation failed: migration out job: unexpectedly failed');

function cookieOf({ host }: Daemon, { name, uuid }: { name: string; uuid: string }, inside = ''): Buffer {
  const own = `  <name>${escaped(name)}</name>\n  <uuid>${uuid}</uuid>\n  <hostname>${host.name}</hostname>\n`;
  return Buffer.from(`<qemu-migration>\n${own}  <hostuuid>${host.uuid}</hostuuid>\n${inside}</qemu-migration>\n\0`);
}

// --- Begin: the source ---------------------------------------------------------------------------------

export async function begin(daemon: Daemon, domain: Domain, { params, flags }: Omit<Step, 'cookie'>, driver: Driver) {
  const { fleet } = daemon;
  fleet.moves.set(domain.uuid, { source: { daemon, driver } });
  await strike(fleet, 'begin', 'request', domain);
  const given = check({ params, flags }, 'Begin');
  const offline = (flags & flag.offline) !== 0;
  if (offline && !(flags & flag.persist_dest)) {
    const what = 'offline migration must be specified with the persistent flag set';
    throw refuse.qemu('operation_invalid', `Requested operation is not valid: ${what}`);
  }
  if (!domain.active && !offline) throw refuse.notRunning();
  if (flags & flag.persist_dest && !domain.persistent) {
    const what = 'cannot migrate a transient domain persistently';
    throw refuse.qemu('operation_invalid', `Requested operation is not valid: ${what}`);
  }
  if (flags & flag.change_protection && domain.active) await takeJob(daemon, domain, flags, driver);
  try {
    if (!offline && !(flags & (flag.unsafe | flag.non_shared_disk | flag.non_shared_inc))) checkDisks(daemon, domain);
    const xml = text(given['destination_xml']) ?? domain.definition.xml;
    await strike(fleet, 'begin', 'reply', domain);
    return { cookie: cookieOf(daemon, domain), xml };
  } catch (error) {
    release(domain);
    throw error;
  }
}

async function takeJob(daemon: Daemon, domain: Domain, flags: number, driver: Driver): Promise<Outgoing> {
  await domain.lock.begin('migration out');
  if (!domain.active) {
    domain.lock.end();
    throw refuse.notRunning();
  }
  domain.outgoing = {
    driver,
    flags,
    phase: 'begun',
    transfer: null,
    aborted: false,
    wasPaused: domain.state === domainState.paused,
    beganMs: daemon.fleet.clock.now(),
  };
  // Who begins and is gone while this waited holds nothing.
  if (driver.gone) release(domain);
  return domain.outgoing;
}

function release(domain: Domain): void {
  if (!domain.outgoing) return;
  domain.outgoing = null;
  domain.lock.end();
}

/** @throws Refusal where a disk is not on storage that both hosts share */
function checkDisks({ fleet, host }: Daemon, { definition }: Domain): void {
  for (const { path, type, cache, readonly, shareable } of definition.disks) {
    if (type !== 'file' || path === null) continue;
    if (!readonly && !fleet.storage.mountOf(host.name, path)?.store.shared) {
      throw refuse.qemu('migrate_unsafe', 'Unsafe migration: Migration without shared storage is unsafe');
    }
    if (readonly || shareable || cache === 'none' || cache === 'directsync') continue;
    const what = 'Migration may lead to data corruption if disks use cache != none or cache != directsync';
    throw refuse.qemu('migrate_unsafe', `Unsafe migration: ${what}`);
  }
}

// --- Prepare: the target -------------------------------------------------------------------------------

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
  const { port, listens, uri } = whereTo(daemon, text(given['migrate_uri']));
  try {
    if (!daemon.defaults.types.includes(definition.type)) {
      throw refuse.none('invalid_arg', `invalid argument: no emulator for domaintype=${definition.type}`);
    }
    if (!daemon.defaults.machines.includes(definition.machine)) {
      const what = `unsupported machine type '${definition.machine}'`;
      throw refuse.qemu('config_unsupported', `unsupported configuration: ${what}`);
    }
    if (!offline) checkMeans(daemon, definition);
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
  fleet.incoming.set(`${host.name}:${port}`, incoming);
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
function whereTo(daemon: Daemon, given: string | null): { port: number; listens: boolean; uri: string | null } {
  if (given === null) {
    const port = daemon.takePort();
    return { port, listens: true, uri: `tcp:${daemon.host.name}:${port}` };
  }
  const { port } = addressIn(given);
  if (port !== null) return { port, listens: false, uri: null };
  const taken = daemon.takePort();
  return { port: taken, listens: true, uri: `${given.replace(/\/$/, '')}:${taken}` };
}

/** `tcp:host:port`, `tcp://host:port`, with or without the port. @throws Refusal on anything else */
function addressIn(uri: string): { host: string; port: number | null } {
  const [, host = '', port] = /^tcp:(?:\/\/)?(\[[^\]]*\]|[^:/]+)(?::(\d+))?\/?$/.exec(uri) ?? [];
  if (!host) throw refuse.qemu('argument_unsupported', `unsupported scheme in migration URI ${uri}`);
  return { host: host.replace(/^\[|\]$/g, ''), port: port === undefined ? null : Number(port) };
}

// --- Perform: the source, while memory goes over ---------------------------------------------------------

export async function perform(daemon: Daemon, domain: Domain, step: Step, driver: Driver) {
  const { fleet } = daemon;
  await strike(fleet, 'perform', 'request', domain);
  const given = check(step, 'Perform');
  mustRun(domain);
  if (step.flags & flag.change_protection) {
    if (domain.outgoing?.phase !== 'begun') throw notMigrating(domain);
  } else await takeJob(daemon, domain, step.flags, driver);
  const job = domain.outgoing;
  if (!job) throw notMigrating(domain);
  job.driver = driver;
  job.phase = 'performing';
  let midway = () => {};
  const gone = () => job.transfer?.end(refuse.domain('operation_failed', 'operation failed: domain is not running'));
  domain.whenOff.add(gone);
  try {
    if (job.aborted) throw aborted();
    const incoming = connect(fleet, domain, text(given['migrate_uri']));
    const transfer = startTransfer(daemon, domain, incoming, step.flags, Number(given['bandwidth'] ?? 0));
    job.transfer = transfer;
    const { total } = transfer.figures;
    const half = (total / 2 / Math.min(daemon.host.linkBps, domain.maxSpeed * MIB)) * 1000;
    midway = fleet.clock.after(half, () => void strike(fleet, 'perform', 'midway', domain).catch(() => {}));
    await transfer.done;
    const { guest } = domain;
    if (!guest) throw refuse.domain('operation_failed', 'operation failed: domain is not running');
    incoming.arrived ??= { runMs: guest.runMs, line: guest.shell.line };
    job.phase = 'performed';
    await strike(fleet, 'perform', 'reply', domain);
    const persistent = domain.persistent ? `  <feature name='persistent'/>\n${domain.persistent.xml}` : '';
    return { cookie: cookieOf(daemon, domain, persistent) };
  } catch (error) {
    if (domain.outgoing === job) {
      release(domain);
      if (domain.active) wake(daemon, domain, job);
    }
    throw error;
  } finally {
    midway();
    domain.whenOff.delete(gone);
  }
}

/** @throws Refusal when nobody listens there */
function connect(fleet: SimFleet, domain: Domain, uri: string | null): Incoming {
  const { host = '', port = 0 } = uri === null ? {} : addressIn(uri);
  const target = fleet.hostAt(host);
  const incoming = target && fleet.incoming.get(`${target.name}:${port}`);
  if (!incoming || target.down || incoming.domain.uuid !== domain.uuid) {
    const why = target ? 'Connection refused' : 'Name or service not known';
    throw refuse.rpc('system_error', `unable to connect to server at '${host}:${port}': ${why}`);
  }
  return incoming;
}

function startTransfer(daemon: Daemon, domain: Domain, incoming: Incoming, flags: number, bandwidth: number): Transfer {
  const { fleet, host } = daemon;
  const { guest } = domain;
  if (!guest) throw refuse.notRunning();
  if (bandwidth > 0) domain.maxSpeed = bandwidth;
  const place = { host: host.name, vm: domain };
  const transfer = new Transfer({
    clock: fleet.clock,
    guest,
    link: host.linkBps,
    maxSpeed: () => domain.maxSpeed,
    maxDowntimeMs: () => domain.maxDowntimeMs,
    autoConverge: (flags & flag.auto_converge) !== 0,
    stallsAt: () => fleet.faults.at('migration-stalls', place)?.at ?? null,
    round: (iteration) => daemon.tell('migration_iteration', domain, { iteration }),
    switching: () => {
      if (domain.state !== domainState.running) return guest.stop();
      hold(daemon, domain, pausedReason.migration);
      daemon.tellLifecycle(domain, told.pausedMigrated);
    },
  });
  incoming.from = { transfer, domain, daemon };
  const undo = fleet.faults.onChange(() => transfer.retune());
  void transfer.done.catch(() => {}).finally(undo);
  return transfer;
}

/** The source goes on, as if nothing had been. */
function wake(daemon: Daemon, domain: Domain, { wasPaused }: Outgoing): void {
  if (wasPaused || domain.state !== domainState.paused || domain.reason === pausedReason.user) return;
  go(daemon, domain, runningReason.migration_canceled);
  daemon.tellLifecycle(domain, told.resumedMigrated);
}

// --- Finish: the target --------------------------------------------------------------------------------

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

const completedStats = (transfer: Transfer, operation: number) =>
  transfer.stats(true).map((one) => (one.name === 'operation' ? param.i32('operation', operation) : one));

function persistentIn(daemon: Daemon, cookie: Buffer): Definition | null {
  const [xml] = /<domain [^]*<\/domain>/.exec(cookie.toString()) ?? [];
  return xml === undefined ? null : readDefinition(xml, daemon.defaults);
}

function letGo(daemon: Daemon, { port }: Incoming): void {
  daemon.fleet.incoming.delete(`${daemon.host.name}:${port}`);
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

// --- Confirm: the source -------------------------------------------------------------------------------

export async function confirm(daemon: Daemon, domain: Domain, step: Step & { cancelled: number }): Promise<void> {
  const { fleet } = daemon;
  await strike(fleet, 'confirm', 'request', domain);
  check(step, 'Confirm');
  if (step.flags & flag.offline && !domain.active) {
    if (!step.cancelled && step.flags & flag.undefine_source) daemon.domains.delete(domain.uuid);
    return strike(fleet, 'confirm', 'reply', domain);
  }
  const job = domain.outgoing;
  if (!job || job.phase === 'performing' || (job.phase === 'begun' && !step.cancelled)) throw notMigrating(domain);
  const performed = job.phase === 'performed';
  job.phase = 'confirming';
  if (step.cancelled) {
    release(domain);
    if (performed) wake(daemon, domain, job);
  } else {
    await fleet.clock.sleep(fleet.timings.confirm);
    const params = job.transfer ? completedStats(job.transfer, 5) : [];
    const dom = domain.ref;
    if (domain.active) stop(daemon, domain, 'migrated');
    daemon.tell('job_completed', domain, { params }, dom);
    release(domain);
    // Forgotten without a word, and a little later than its end is told.
    if (step.flags & flag.undefine_source) {
      domain.persistent = null;
      daemon.domains.delete(domain.uuid);
    }
  }
  await strike(fleet, 'confirm', 'reply', domain);
  fleet.moves.delete(domain.uuid);
}

// --- Peer to peer --------------------------------------------------------------------------------------

/** The source's daemon drives all of it, so nobody else's end matters. */
export async function peerToPeer(daemon: Daemon, domain: Domain, step: Step, dconnuri: string): Promise<void> {
  const target = peer(daemon, dconnuri);
  const driver: Driver = { number: 0, gone: false, hangUp() {} };
  const flags = (step.flags & ~flag.peer2peer) | flag.change_protection;
  const onTarget = flags & ~(flag.change_protection | flag.abort_on_error | flag.auto_converge);
  const base = step.params.filter(({ name }) => name !== 'migrate_uri' && name !== 'destination_xml');
  const given = step.params.filter(({ name }) => name === 'migrate_uri');
  const nothing = Buffer.alloc(0);
  const offline = (flags & flag.offline) !== 0;
  const begun = await begin(daemon, domain, { params: step.params, flags }, driver);
  const cancel = { params: base, cookie: nothing, flags, cancelled: 1 };
  let prepared;
  try {
    const params = [...base, ...given, param.str('destination_xml', begun.xml)];
    prepared = await prepare(target, { params, cookie: begun.cookie, flags: onTarget }, driver);
  } catch (error) {
    if (!offline) await confirm(daemon, domain, cancel);
    throw error;
  }
  const uri = prepared.uri === null ? given : [param.str('migrate_uri', prepared.uri)];
  const name = base.some((one) => one.name === 'destination_name') ? [] : [param.str('destination_name', domain.name)];
  const atEnd = { params: [...base, ...name], flags: onTarget };
  let cookie: Buffer = nothing;
  if (!offline) {
    try {
      ({ cookie } = await perform(
        daemon,
        domain,
        { params: [...base, ...uri], cookie: prepared.cookie, flags },
        driver,
      ));
    } catch (error) {
      await finish(target, { ...atEnd, cookie: nothing, cancelled: 1 }).catch(() => {});
      throw error;
    }
  }
  try {
    ({ cookie } = await finish(target, { ...atEnd, cookie, cancelled: 0 }));
  } catch (error) {
    await confirm(daemon, domain, cancel);
    throw error;
  }
  await confirm(daemon, domain, { params: base, cookie, flags, cancelled: 0 });
}

/** The other daemon, as this host reaches it. @throws Refusal */
function peer({ fleet, host }: Daemon, uri: string): Daemon {
  const [, address = ''] = /^qemu\+\w+:\/\/(?:[^@/]*@)?(\[[^\]]*\]|[^:/?]*)/.exec(uri) ?? [];
  const target = fleet.hostAt(address.replace(/^\[|\]$/g, ''));
  if (!target || target.down) {
    const message = `Cannot recv data: ssh: connect to host ${address}: No route to host: Connection reset by peer`;
    throw refuse.rpc('system_error', message);
  }
  if (target === host) {
    throw refuse.qemu('internal_error', `internal error: Attempt to migrate guest to the same host ${host.uuid}`);
  }
  return target.daemon;
}

// --- While it lasts ------------------------------------------------------------------------------------

/** @throws Refusal */
export async function abort(domain: Domain): Promise<void> {
  mustRun(domain);
  // On the target it waits for the job as anything else does, mostly in vain.
  if (domain.incoming) await domain.lock.change(() => {});
  const job = domain.outgoing;
  if (!job) {
    throw refuse.qemu('operation_invalid', 'Requested operation is not valid: no job is active on the domain');
  }
  if (domain.reason === pausedReason.postcopy && domain.state === domainState.paused) {
    const what = 'cannot abort migration in post-copy mode';
    throw refuse.qemu('operation_invalid', `Requested operation is not valid: ${what}`);
  }
  if (job.phase === 'begun') job.aborted = true;
  job.transfer?.end(aborted());
}

/** @throws Refusal */
export function startPostcopy(daemon: Daemon, domain: Domain): void {
  mustRun(domain);
  const job = domain.outgoing;
  if (job?.phase !== 'performing' || !job.transfer) {
    const what = 'post-copy can only be started while outgoing migration is in progress';
    throw refuse.qemu('operation_invalid', `Requested operation is not valid: ${what}`);
  }
  if (!(job.flags & flag.postcopy)) {
    const what = 'switching to post-copy requires migration to be started with VIR_MIGRATE_POSTCOPY flag';
    throw refuse.qemu('operation_invalid', `Requested operation is not valid: ${what}`);
  }
  const incoming = [...daemon.fleet.incoming.values()].find(({ from }) => from?.domain === domain);
  if (!incoming || !domain.guest) return;
  hold(daemon, domain, pausedReason.postcopy);
  daemon.tellLifecycle(domain, told.pausedPostcopy);
  job.transfer.toPostcopy();
  incoming.arrived = { runMs: domain.guest.runMs, line: domain.guest.shell.line };
  incoming.domain.guest?.takeOver(incoming.arrived);
  go(incoming.daemon, incoming.domain, runningReason.postcopy);
  incoming.daemon.tellLifecycle(incoming.domain, told.resumedPostcopy);
}

// --- When whoever drives is gone -------------------------------------------------------------------------

/** Begun: the job is dropped. Performed: dropped too, and the domain stays paused, since nobody knows better. */
export function sourceDriverGone(_daemon: Daemon, domain: Domain): void {
  const { outgoing } = domain;
  if (outgoing?.phase === 'begun' || outgoing?.phase === 'performed') release(domain);
}

/** Not finished: it ends. */
export function targetDriverGone(incoming: Incoming): void {
  if (!incoming.finishing) dropTarget(incoming, 'destroyed');
}
