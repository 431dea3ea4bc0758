// Whether a domain can go to a host, and why not: at once from what is known, then by asking both hosts.
import type { Check, DomainView, MigrationOptions, Preflight, Remedy } from '../../contract/model.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Host } from '../fleet/host.ts';
import { isOff } from './options.ts';
import { checkBegin } from './preflight/begin.ts';
import { checkCpu } from './preflight/cpu.ts';
import { checkDevices } from './preflight/devices.ts';
import { parsed, SourceXml } from './preflight/domain-xml.ts';
import { checkFirmware } from './preflight/firmware.ts';
import { checkHugePages } from './preflight/huge-pages.ts';
import { checkListens } from './preflight/listens.ts';
import { checkNetworks } from './preflight/networks.ts';
import { checkPostCopy } from './preflight/post-copy.ts';
import { byOptions } from './preflight/remedies.ts';
import { error as problem, said, warn as warning } from './preflight/say.ts';
import { checkVersions } from './preflight/versions.ts';
import type { Route } from './route.ts';
import { checkDisks } from './storage/shared-disks.ts';
import type { CopiedDisk } from './storage/volumes.ts';
import { findWay, type Way } from './ways/ways.ts';

/** What no `force` overrides: there is nothing to start. */
const hard: ReadonlySet<string> = new Set([
  'same-host',
  'source-online',
  'target-online',
  'state',
  'busy',
  'running-there',
]);

/** From what is known, without asking anybody: fast enough for a thousand hosts while a drag begins. */
export function checkKnown(fleet: Pick<Fleet, 'homes'>, { domain, source, target, options }: Route): Check[] {
  const { name } = domain;
  const checks: Check[] = [];
  const error: Say = (id, message, fix, remedies = []) => checks.push(said(id, 'error', message, fix, remedies));
  const warn = (id: string, message: string) => checks.push({ id, level: 'warn', message });
  const ok = (id: string, message: string) => checks.push({ id, level: 'ok', message });

  if (source.id === target.id) {
    error('same-host', `${name} is on ${target.label} already.`);
    return checks;
  }
  if (source.state !== 'online')
    error('source-online', `${source.label} is not connected (${source.state}).`, 'Connect to it first.');
  if (target.state !== 'online')
    error('target-online', `${target.label} is not connected (${target.state}).`, 'Connect to it first.');
  if (checks.length > 0) return checks;
  ok('online', `${source.label} and ${target.label} are connected.`);

  checkState(domain, options, error);
  checkDefinition({ domain, source, target, options }, warn);
  checkTaken(fleet, { domain, source, target, options }, error, warn, ok);
  checkMachine({ domain, source, target, options }, error, warn, ok);
  if (!isOff(options)) checks.push(...checkVersions(source, target));
  if (!isOff(options)) checkMemory(domain, target, error, warn, ok);
  const devices = source.domains.facts(domain.uuid)?.hostDevices ?? 0;
  if (devices > 0 && !isOff(options)) {
    error(
      'host-devices',
      `${name} uses ${devices} devices of ${source.label} itself, which cannot move.`,
      'Detach them first.',
    );
  }
  return checks;
}

/**
 * The same, refined by what both hosts answer.
 * @param xml The VM's, where it is judged for several targets: it is read once then.
 */
export async function checkAsking(
  fleet: Pick<Fleet, 'homes'>,
  route: Route,
  xml = new SourceXml(route.source, route.domain),
): Promise<{ checks: Check[]; way: Way | null; copied: CopiedDisk[] }> {
  await lookAgain(fleet, route);
  const checks = checkKnown(fleet, route);
  if (checks.some(({ id, level }) => level === 'error' && hard.has(id))) return { checks, way: null, copied: [] };
  const moved = route.source.domains.facts(route.domain.uuid)?.disks ?? [];
  const [way, ofXml, ofDisks] = await Promise.all([
    findWay(route),
    checkXml(route, xml),
    checkDisks(route, moved, xml),
  ]);
  checks.push(...ofXml, ...way.checks, ...ofDisks.checks);
  const { copied } = ofDisks;
  // Last, and only where nothing else stands against it: what is said above is said better.
  if (!checks.some(({ level }) => level === 'error')) checks.push(...(await checkBegin(route, copied, xml)));
  return { checks, way, copied };
}

/** Of a VM that was ended before it ran, as of one whose migration failed, libvirt tells nothing. */
async function lookAgain(fleet: Pick<Fleet, 'homes'>, { domain, source }: Route): Promise<void> {
  const others = fleet.homes(domain.uuid).filter(({ id, state }) => id !== source.id && state === 'online');
  await Promise.all(others.map((host) => host.domains.refreshed(domain.uuid).catch(() => {})));
}

/** What its XML asks of a host: over there, that is the one which it is to have there. */
async function checkXml(route: Route, xml: SourceXml): Promise<Check[]> {
  const { domain, source, options } = route;
  const [live, root] = await Promise.all([xml.live(), xml.root()]);
  if (live === null || !root) {
    const message = `${source.label} does not tell the XML of ${domain.name}, so what it needs over there is not known.`;
    return [warning('xml', message)];
  }
  const there = options.destXml === null ? root : parsed(options.destXml);
  if (!there) return [problem('dest-xml', `The XML for ${route.target.label} (destXml) is not well-formed.`)];
  const checks = await Promise.all([
    isOff(options) ? null : checkCpu(route, live, root),
    checkNetworks(route, there, xml),
    checkFirmware(route, there),
    checkDevices(route, root),
    isOff(options) ? [] : checkHugePages(route, there),
    isOff(options) ? [] : checkListens(route, there),
    checkPostCopy(route),
  ]);
  return checks.flat().filter((check) => check !== null);
}

export function verdictOf(checks: Check[]): Preflight {
  const has = (level: Check['level']) => checks.some((check) => check.level === level);
  return { verdict: has('error') ? 'blocked' : has('warn') ? 'warn' : 'ok', checks };
}

/** The errors that stop a start: all of them, or with `force` those that leave nothing to start. */
export function stopping(checks: Check[], force: boolean): Check[] {
  return checks.filter(({ id, level }) => level === 'error' && (!force || hard.has(id)));
}

type Say = (id: string, message: string, fix?: string, remedies?: Remedy[]) => void;

function checkState({ name, state, job }: DomainView, { mode }: MigrationOptions, error: Say): void {
  if (job) error('busy', `${name} is being migrated already.`, 'Wait until that ends, or cancel it.');
  const off = state === 'shutoff' || state === 'crashed';
  if (isOff({ mode }) && !off) {
    const what =
      mode === 'cold'
        ? 'a cold migration moves a VM that is shut off, with its disks'
        : 'an offline migration moves the definition of a VM that is shut off';
    error('state', `${name} is ${state}; ${what}.`, 'Shut it down first, or choose the mode “live”.');
  }
  if (!isOff({ mode }) && state !== 'running' && state !== 'paused' && state !== 'blocked') {
    error(
      'state',
      `${name} is ${state}, so there is nothing to migrate live.`,
      off ? 'Choose the mode “offline”, or with its disks “cold”; or start it.' : undefined,
    );
  }
}

/** By default exactly one host has the definition afterwards. */
function checkDefinition({ domain: { name, persistent: was }, source, target, options }: Route, warn: Say): void {
  const { persistent, undefineSource } = options;
  if (persistent && !undefineSource && was) {
    warn(
      'both-defined',
      `${name} stays defined on ${source.label}, too (undefineSource is false): whoever starts it there runs it twice.`,
    );
  }
  if (!persistent && undefineSource && was) {
    warn(
      'nowhere-defined',
      `${name} is defined on no host afterwards (persistent is false): once it is shut down on ${target.label}, it is gone.`,
    );
  }
}

function checkTaken(
  fleet: Pick<Fleet, 'homes'>,
  { domain, source, target, options }: Route,
  error: Say,
  warn: Say,
  ok: Say,
): void {
  const name = options.destName ?? domain.name;
  const namesake = target.domains.all.find((other) => other.name === name && other.uuid !== domain.uuid);
  if (namesake) {
    error(
      'name-taken',
      `${target.label} has another VM named ${name}.`,
      'Rename one of them, or give this one another name there (destName).',
      [anotherName(target, name)],
    );
  }
  const twin = target.domains.get(domain.uuid);
  if (twin && twin.state !== 'shutoff') {
    error(
      'running-there',
      `A VM with the same UUID is ${twin.state} on ${target.label}: the same VM must never run twice.`,
    );
  } else if (twin) {
    warn('uuid-taken', `${target.label} already holds a definition of ${domain.name}; it will be replaced.`);
  }
  for (const host of fleet.homes(domain.uuid)) {
    if (host.id === source.id || host.id === target.id) continue;
    const state = host.domains.get(domain.uuid)?.state;
    if (state === 'shutoff') continue;
    const seen = host.state === 'online' ? '' : ', as it was last seen there';
    error(
      'two-homes',
      `A VM with the same UUID is ${state} on ${host.label}, too${seen}: the same VM must never run twice.`,
      'Find out which of them is the right one, and end the other, before either moves.',
    );
  }
  if (!namesake && !twin) ok('name', `The name ${name} is free on ${target.label}.`);
}

function anotherName(target: Host, name: string): Remedy {
  const taken = new Set(target.domains.all.map((other) => other.name));
  let number = 2;
  while (taken.has(`${name}-${number}`)) number += 1;
  const destName = `${name}-${number}`;
  return byOptions(`name-${destName}`, `Call it ${destName} on ${target.label}`, { destName });
}

function checkMachine({ domain, source, target }: Route, error: Say, warn: Say, ok: Say): void {
  const facts = source.domains.facts(domain.uuid);
  const can = target.capabilities;
  if (!facts?.arch || !can) {
    warn('machine', `Whether ${target.label} can run this machine type is not known.`);
    return;
  }
  const guest = can.guests.get(facts.arch);
  if (!guest) {
    error('arch', `${target.label} cannot run ${facts.arch} guests.`);
    return;
  }
  if (!guest.virtTypes.has(facts.virtType)) {
    error(
      'virt-type',
      `${domain.name} is of the type ${facts.virtType}, and ${target.label} offers ${[...guest.virtTypes].join(', ')} only.`,
      facts.virtType === 'kvm'
        ? `Switch on virtualisation in the firmware of ${target.label}, and load kvm.`
        : undefined,
    );
    return;
  }
  if (facts.machine && !guest.machines.has(facts.machine)) {
    error(
      'machine',
      `${target.label} does not know the machine type ${facts.machine}.`,
      'Its QEMU is older, or another build: update it.',
    );
    return;
  }
  ok('machine', `${target.label} can run ${facts.arch} guests of the type ${facts.machine ?? facts.virtType}.`);
}

function checkMemory(domain: DomainView, target: Host, error: Say, warn: Say, ok: Say): void {
  const info = target.info;
  if (!info) return;
  const inGiB = (kib: number) => `${(kib / 1024 ** 2).toFixed(1)} GiB`;
  if (domain.memoryKiB > info.memoryKiB) {
    error(
      'memory',
      `${domain.name} has ${inGiB(domain.memoryKiB)} of memory, ${target.label} only ${inGiB(info.memoryKiB)} in all.`,
    );
  } else if (domain.memoryKiB > info.freeMemoryKiB) {
    // What libvirt calls free leaves out caches, which give way.
    warn(
      'memory',
      `${domain.name} has ${inGiB(domain.memoryKiB)} of memory, and ${target.label} ${inGiB(info.freeMemoryKiB)} free, caches not counted.`,
    );
  } else {
    ok('memory', `${target.label} has ${inGiB(info.freeMemoryKiB)} of memory free.`);
  }
}
