// What is known of two hosts without asking them: whether a VM can go, and why not.
import { beforeEach, describe, expect, it, test } from 'vitest';
import type { DomainView } from '../../contract/model.ts';
import type { HostCapabilities } from '../../src-main/fleet/capabilities.ts';
import type { DomainFacts } from '../../src-main/fleet/domain-xml.ts';
import type { Fleet } from '../../src-main/fleet/fleet.ts';
import type { Host } from '../../src-main/fleet/host.ts';
import { resolveOptions } from '../../src-main/migration/options.ts';
import { checkKnown, stopping, verdictOf } from '../../src-main/migration/preflight.ts';

const GiB = 1024 ** 2;
const capabilities: HostCapabilities = {
  uuid: null,
  arch: 'x86_64',
  cpuModel: null,
  hostCpu: null,
  guests: new Map([['x86_64', { machines: new Set(['pc-q35-7.2']), virtTypes: new Set(['kvm', 'qemu']) }]]),
};
const domain: DomainView = {
  hostId: 'a',
  uuid: 'u1',
  name: 'web01',
  id: 3,
  state: 'running',
  reason: 'booted',
  persistent: true,
  autostart: false,
  vcpus: 1,
  memoryKiB: GiB,
  maxMemoryKiB: GiB,
  consoles: [],
  tags: [],
  stats: null,
  job: null,
  stale: false,
};
const facts = { arch: 'x86_64', machine: 'pc-q35-7.2', virtType: 'kvm', hostDevices: 0 } as DomainFacts;

interface Made {
  state: string;
  domains: DomainView[];
  facts: DomainFacts | undefined;
  capabilities: HostCapabilities | null;
  info: { memoryKiB: number; freeMemoryKiB: number } | null;
}
let made: Record<'a' | 'b' | 'c', Made>;
const host = (id: 'a' | 'b' | 'c') => {
  const { domains, facts: known, ...rest } = made[id];
  return {
    id,
    label: { a: 'kvm1', b: 'kvm2', c: 'kvm3' }[id],
    ...rest,
    domains: {
      all: domains,
      get: (uuid: string) => domains.find((one) => one.uuid === uuid),
      facts: () => known,
    },
  } as unknown as Host;
};
beforeEach(() => {
  const usual = {
    state: 'online',
    domains: [],
    facts: undefined,
    capabilities,
    info: { memoryKiB: 8 * GiB, freeMemoryKiB: 4 * GiB },
  };
  made = { a: { ...usual, domains: [domain], facts }, b: { ...usual }, c: { ...usual } };
});

function checks(of: Partial<DomainView> = {}, given: Parameters<typeof resolveOptions>[0] = {}, to: 'a' | 'b' = 'b') {
  const moving = { ...domain, ...of };
  const fleet = {
    homes: (uuid: string) => (['a', 'b', 'c'] as const).map(host).filter((one) => one.domains.get(uuid)),
  } as unknown as Fleet;
  const found = checkKnown(fleet, {
    domain: moving,
    source: host('a'),
    target: host(to),
    options: resolveOptions(given, moving),
  });
  for (const { message, fix } of found) {
    expect(message).toMatch(/\.$/);
    if (fix) expect(fix).toMatch(/\.$/);
  }
  return found;
}
const levels = (...args: Parameters<typeof checks>) =>
  Object.fromEntries(checks(...args).map(({ id, level }) => [id, level]));

test('a VM that can go', () => {
  expect(levels()).toEqual({ online: 'ok', name: 'ok', machine: 'ok', memory: 'ok' });
  expect(verdictOf(checks()).verdict).toBe('ok');
});

describe('hosts', () => {
  it('it is there already', () => expect(levels({}, {}, 'a')).toEqual({ 'same-host': 'error' }));
  it('one is not connected: nothing else can be told', () => {
    made.b.state = 'unreachable';
    expect(levels()).toEqual({ 'target-online': 'error' });
    made.a.state = 'disconnected';
    expect(levels()).toEqual({ 'source-online': 'error', 'target-online': 'error' });
  });
});

describe('who has the definition afterwards', () => {
  it('both', () => expect(levels({}, { undefineSource: false })['both-defined']).toBe('warn'));
  it('neither', () => expect(levels({}, { persistent: false })['nowhere-defined']).toBe('warn'));
  it('of a transient one nobody ever had it', () => {
    expect(levels({ persistent: false }, { undefineSource: true })['nowhere-defined']).toBeUndefined();
  });
});

describe('state', () => {
  it.each(['running', 'paused', 'blocked'] as const)('%s can go live', (state) => {
    expect(levels({ state })['state']).toBeUndefined();
  });
  it.each(['pmsuspended', 'shutdown', 'nostate'] as const)('%s cannot', (state) => {
    expect(levels({ state })['state']).toBe('error');
  });
  it('one that is shut off moves its definition, whatever memory there is', () => {
    made.b.info = { memoryKiB: 1, freeMemoryKiB: 1 };
    expect(levels({ state: 'shutoff', id: null })).toEqual({ online: 'ok', name: 'ok', machine: 'ok' });
  });
  it('live and shut off do not go together, nor offline and running', () => {
    expect(levels({ state: 'shutoff' }, { mode: 'live' })['state']).toBe('error');
    expect(levels({}, { mode: 'offline' })['state']).toBe('error');
  });
  it('one that migrates is busy', () => {
    const job = { migrationId: 'm', side: 'source' as const, percent: 5 };
    expect(levels({ job })['busy']).toBe('error');
  });
});

describe('who is there already', () => {
  const other = { ...domain, hostId: 'b', uuid: 'u2', state: 'shutoff' as const };
  it('another of that name, unless it gets another name', () => {
    made.b.domains = [other];
    expect(levels()['name-taken']).toBe('error');
    expect(levels({}, { destName: 'web02' })).toMatchObject({ name: 'ok' });
  });
  it('its own definition is replaced', () => {
    made.b.domains = [{ ...other, uuid: 'u1' }];
    expect(levels()).toMatchObject({ 'uuid-taken': 'warn' });
    expect(verdictOf(checks()).verdict).toBe('warn');
  });
  it('itself, running: the same VM never runs twice, not even by force', () => {
    made.b.domains = [{ ...other, uuid: 'u1', state: 'paused' }];
    expect(levels()['running-there']).toBe('error');
    expect(stopping(checks(), true).map(({ id }) => id)).toEqual(['running-there']);
  });
  it('itself, running on a third host', () => {
    made.c.domains = [{ ...domain, hostId: 'c' }];
    expect(levels()['two-homes']).toBe('error');
  });
});

describe('what the target can run', () => {
  it('no such architecture', () => {
    made.a.facts = { ...facts, arch: 'aarch64' };
    expect(levels()['arch']).toBe('error');
  });
  it('no such machine type', () => {
    made.a.facts = { ...facts, machine: 'pc-q35-9.0' };
    expect(levels()['machine']).toBe('error');
  });
  it('no KVM', () => {
    made.b.capabilities = {
      ...capabilities,
      guests: new Map([['x86_64', { machines: new Set(['pc-q35-7.2']), virtTypes: new Set(['qemu']) }]]),
    };
    expect(levels()['virt-type']).toBe('error');
  });
  it('nobody knows', () => {
    made.b.capabilities = null;
    expect(levels()['machine']).toBe('warn');
  });
});

describe('memory', () => {
  it('less free than it has may still do: caches give way', () => {
    expect(levels({ memoryKiB: 5 * GiB })['memory']).toBe('warn');
  });
  it('more than there is cannot', () => expect(levels({ memoryKiB: 9 * GiB })['memory']).toBe('error'));
});

it('devices of the host itself cannot move, only their definition', () => {
  made.a.facts = { ...facts, hostDevices: 2 };
  expect(levels()['host-devices']).toBe('error');
  expect(levels({ state: 'shutoff' })['host-devices']).toBeUndefined();
});

test('force overrides what may turn out well, and nothing else', () => {
  made.b.domains = [{ ...domain, uuid: 'u2' }];
  expect(stopping(checks(), false).map(({ id }) => id)).toContain('name-taken');
  expect(stopping(checks(), true)).toEqual([]);
  made.b.state = 'unreachable';
  expect(stopping(checks(), true).map(({ id }) => id)).toEqual(['target-online']);
});
