// A VM's tags, written into and read from its definition on a simulated daemon.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Actions } from '../../src-main/fleet/actions.ts';
import { readDomainXml } from '../../src-main/fleet/domain-xml.ts';
import { Fleet } from '../../src-main/fleet/fleet.ts';
import { Questions } from '../../src-main/fleet/questions.ts';
import { type KnownHosts, SecretCache } from '../../src-main/ssh/index.ts';
import { SimFleet } from '../../src-sim/index.ts';
import { direct } from '../sim/reach.ts';
import { HandClock } from './hand-clock.ts';
import { SimReaches } from './sim-reach.ts';

describe('read from a definition', () => {
  const xml = (metadata: string) => `<domain><name>a</name><metadata>${metadata}</metadata></domain>`;
  const tags = (metadata: string) => readDomainXml(xml(metadata)).tags;
  const uri = 'urn:drover:vm:1';

  it.each([
    ['with a prefix', `<d:vm xmlns:d='${uri}'><d:tag>web</d:tag><d:tag>a &amp; b</d:tag></d:vm>`, ['web', 'a-&-b']],
    ['without one', `<vm xmlns='${uri}'><tag>web</tag></vm>`, ['web']],
    [
      'beside others',
      `<o:vm xmlns:o='urn:o'><o:tag>no</o:tag></o:vm><d:vm xmlns:d='${uri}'><d:tag>x</d:tag></d:vm>`,
      ['x'],
    ],
    ['none', '', []],
    ['each once', `<d:vm xmlns:d='${uri}'><d:tag>Web</d:tag><d:tag>web</d:tag><d:tag/></d:vm>`, ['web']],
  ])('%s', (_, metadata, wanted) => expect(tags(metadata)).toEqual(wanted));

  it('are not more than a window can show', () => {
    const many = Array.from({ length: 900 }, (_, at) => `<d:tag>${at}${'x'.repeat(900)}</d:tag>`).join('');
    const found = tags(`<d:vm xmlns:d='${uri}'>${many}</d:vm>`);
    expect(found).toHaveLength(50);
    expect(found.every(({ length }) => length === 64)).toBe(true);
  });
});

describe('on a host', () => {
  let sim: SimFleet;
  let fleet: Fleet;
  let actions: Actions;
  let hostId: string;

  beforeEach(async () => {
    sim = await SimFleet.start({
      seed: 'tags',
      speed: 50,
      hosts: [{ name: 'kvm1' }],
      domains: [
        { name: 'web01', host: 'kvm1', memoryMiB: 256, tags: ['web', 'a&b'] },
        { name: 'off01', host: 'kvm1', memoryMiB: 256, running: false },
      ],
    });
    fleet = new Fleet({
      logins: { knownHosts: {} as KnownHosts, secrets: new SecretCache() },
      questions: new Questions(() => {}),
      tell: () => {},
      save: () => {},
      openReach: new SimReaches(sim).open,
      clock: new HandClock(),
    });
    const host = fleet.add('qemu+ssh://root@kvm1/system');
    await vi.waitFor(() => expect(host.state).toBe('online'), { timeout: 10_000, interval: 5 });
    hostId = host.id;
    actions = new Actions(fleet);
  });
  afterEach(async () => {
    await fleet.close();
    await sim.close();
  });
  const ref = (name: string) => ({ hostId, uuid: sim.uuid(name) });
  const tags = (name: string) => fleet.domain(ref(name)).tags;

  it('are there from the beginning', () => {
    expect(tags('web01')).toEqual(['web', 'a&b']);
    expect(tags('off01')).toEqual([]);
  });

  it.each(['web01', 'off01'])('of %s are replaced, in what runs and in what is defined', async (name) => {
    expect((await actions.setTags(ref(name), ['prod', 'x<y'])).tags).toEqual(['prod', 'x<y']);
    for (const inactive of [true, false])
      expect(readDomainXml(await actions.xml(ref(name), inactive, false)).tags).toEqual(['prod', 'x<y']);
    expect((await actions.setTags(ref(name), [])).tags).toEqual([]);
    expect((await actions.setTags(ref(name), [])).tags).toEqual([]);
  });

  it('that another admin changes are seen', async () => {
    const other = await direct(sim.host('kvm1'));
    const what = { type: 2, metadata: '<vm><tag>theirs</tag></vm>', key: 'any', uri: 'urn:drover:vm:1', flags: 1 };
    await other.call('domain_set_metadata', { dom: { name: 'web01', uuid: sim.uuid('web01') }, ...what });
    await other.close();
    await vi.waitFor(() => expect(tags('web01')).toEqual(['theirs']));
  });

  it('leave what others keep there', async () => {
    const other = await direct(sim.host('kvm1'));
    const what = { type: 2, metadata: '<note>kept</note>', key: 'theirs', uri: 'urn:theirs', flags: 3 };
    await other.call('domain_set_metadata', { dom: { name: 'web01', uuid: sim.uuid('web01') }, ...what });
    await other.close();
    await actions.setTags(ref('web01'), []);
    expect(await actions.xml(ref('web01'), true, false)).toContain('<theirs:note');
  });

  it('are not changed while the VM moves: that would wait for the migration', async () => {
    fleet.host(hostId).domains.setJob(sim.uuid('web01'), { migrationId: 'm', side: 'source', percent: 1 });
    await expect(actions.setTags(ref('web01'), ['x'])).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('is being migrated') as string,
    });
  });
});
