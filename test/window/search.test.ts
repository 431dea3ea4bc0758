import { describe, expect, it } from 'vitest';
import type { DomainView } from '../../contract/model.ts';
import { parse } from '../../src-renderer/stores/search.ts';
import { madeUpDomain, random } from './made-up-fleet.ts';

const GiB = 1024 * 1024;
const home = { haystack: 'rack 3 kvm3\nqemu+ssh://root@10.0.0.3/system', group: 'site b' };

function vm(change: Partial<DomainView> = {}, cpuPercent: number | null = null) {
  const view = {
    ...madeUpDomain(random(1), 'host-1', 'Web01.example.org', 'running'),
    tags: ['web', 'Prod'],
    ...change,
  };
  return { view, haystack: view.name.toLowerCase(), stats: cpuPercent === null ? null : { cpuPercent } };
}
const finds = (text: string, domain = vm()) => parse(text).matches(domain, home);

describe('search', () => {
  it('finds everything where nothing is asked', () => {
    expect(parse('  ').empty).toBe(true);
    expect(finds('')).toBe(true);
  });

  it.each([
    ['web', true],
    ['WEB01', true],
    ['web 10.0.0', true],
    ['web mail', false],
    ['kvm3', true],
    ['kvm4', false],
    ['-mail', true],
    ['-web', false],
    ['"web01.example"', true],
    ['name:web', true],
    ['name:mail,web', true],
    ['-name:mail', true],
    ['host:kvm3', true],
    ['host:"rack 3"', true],
    ['host:kvm4', false],
    ['tag:web', true],
    ['tag:PROD,other', true],
    ['tag:we', false],
    ['tag:we*', true],
    ['-tag:*', false],
    ['is:tagged', true],
    ['prod', true],
    ['group:"site b"', true],
    ['group:a', false],
    ['state:running', true],
    ['state:run', true],
    ['state:paused,running', true],
    ['state:shutoff', false],
    ['-state:running', false],
    ['state:on', true],
    ['STATE:Running', true],
    ['web state:running host:kvm3', true],
    ['web state:paused host:kvm3', false],
  ])('%s → %s', (text, expected) => {
    expect(finds(text)).toBe(expected);
  });

  it('tells shutoff from shutting down, and takes both for what begins both', () => {
    const off = vm({ state: 'shutoff' });
    const going = vm({ state: 'shutdown' });
    expect([finds('state:shutoff', off), finds('state:shutoff', going)]).toEqual([true, false]);
    expect([finds('state:shut', off), finds('state:shut', going)]).toEqual([true, true]);
    expect(finds('state:stopped', off)).toBe(true);
  });

  it('compares memory in any unit, CPUs and load', () => {
    const big = vm({ memoryKiB: 8 * GiB, vcpus: 4 }, 61);
    expect(finds('mem>4G', big)).toBe(true);
    expect(finds('mem>8G', big)).toBe(false);
    expect(finds('mem:8GiB', big)).toBe(true);
    expect(finds('mem:8192', big)).toBe(true);
    expect(finds('mem<8.5g', big)).toBe(true);
    expect(finds('vcpus>3', big)).toBe(true);
    expect(finds('vcpus:4 cpu>60%', big)).toBe(true);
    expect(finds('cpu<50', big)).toBe(false);
  });

  it('knows what moves, is out of date, or starts by itself', () => {
    expect(finds('is:migrating', vm({ job: { migrationId: 'm', side: 'source', percent: 1 } }))).toBe(true);
    expect(finds('is:migrating')).toBe(false);
    expect(finds('is:stale', vm({ stale: true }))).toBe(true);
    expect(finds('is:transient', vm({ persistent: false }))).toBe(true);
  });

  it.each([
    ['stat:running', /“stat” is nothing to search by: state, host/],
    ['state:rnning', /“rnning” is no state: nostate, running/],
    ['mem>lots', /“lots” is not a size/],
    ['is:blue', /“is:blue” is not known: migrating/],
  ])('says what it does not understand in %s', (text, hint) => {
    expect(parse(text).hints.join()).toMatch(hint);
  });

  it.each(['state:', 'host:', 'mem>', '"', '-', 'web "', 'is:'])('takes the half-typed %s as not typed yet', (text) => {
    expect(finds(text)).toBe(true);
    expect(parse(text).hints).toEqual([]);
  });

  it('finds a host by its name, but not where something is asked of VMs', () => {
    expect(parse('kvm3').matchesHost(home)).toBe(true);
    expect(parse('host:10.0.0').matchesHost(home)).toBe(true);
    expect(parse('kvm3 state:running').matchesHost(home)).toBe(false);
    expect(parse('-kvm3').matchesHost(home)).toBe(false);
  });

  it('comes to an end on any text', () => {
    const next = random(3);
    const signs = 'abz019 ":<>-,.\t%é\\*';
    for (let round = 0; round < 2000; round += 1) {
      const text = Array.from({ length: Math.floor(next() * 24) }, () => signs[Math.floor(next() * signs.length)]).join(
        '',
      );
      expect(() => finds(text), text).not.toThrow();
    }
  });
});
