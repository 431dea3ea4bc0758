// A definition edited by hand, on a simulated daemon: written as it is, or refused before anything is overwritten.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Actions } from '../../src-main/fleet/actions.ts';
import { Fleet } from '../../src-main/fleet/fleet.ts';
import { Questions } from '../../src-main/fleet/questions.ts';
import { redefine } from '../../src-main/fleet/redefine.ts';
import { type KnownHosts, SecretCache } from '../../src-main/ssh/index.ts';
import { SimFleet } from '../../src-sim/index.ts';
import { direct } from '../sim/reach.ts';
import { HandClock } from './hand-clock.ts';
import { SimReaches } from './sim-reach.ts';

let sim: SimFleet;
let fleet: Fleet;
let actions: Actions;
let ref: { hostId: string; uuid: string };
let was: string;

beforeEach(async () => {
  sim = await SimFleet.start({
    seed: 'redefine',
    speed: 50,
    hosts: [{ name: 'kvm1' }],
    domains: [{ name: 'web01', host: 'kvm1', memoryMiB: 256 }],
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
  actions = new Actions(fleet);
  ref = { hostId: host.id, uuid: sim.uuid('web01') };
  was = await actions.xml(ref, true, true);
});
afterEach(async () => {
  await fleet.close();
  await sim.close();
});

const definition = () => actions.xml(ref, true, true);
const write = (xml: string) => redefine(fleet, ref, { xml, was, validate: true });

describe('an edited definition', () => {
  it('is written, with what Drover does not know of', async () => {
    const note = "<metadata><a:note xmlns:a='urn:a'>kept</a:note></metadata>";
    await write(was.replace('</name>', `</name>${note}`).replace(/>1<\/vcpu>/, '>3</vcpu>'));
    expect(await definition()).toContain('kept</a:note>');
    expect(await definition()).toMatch(/>3<\/vcpu>/);
  });

  it('overwrites nothing that somebody else changed meanwhile', async () => {
    const other = await direct(sim.host('kvm1'));
    const theirs = was.replace('</name>', '</name><title>theirs</title>');
    await other.call('domain_define_xml_flags', { xml: theirs });
    await other.close();
    await expect(write(was.replace('</name>', '</name><title>mine</title>'))).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('web01 on kvm1 changed since it was read') as string,
    });
    expect(await definition()).toContain('<title>theirs</title>');
  });

  it.each([
    ['another UUID', (xml: string) => xml.replace(/<uuid>.*<\/uuid>/, `<uuid>${crypto.randomUUID()}</uuid>`), 'UUID'],
    ['no UUID', (xml: string) => xml.replace(/<uuid>.*<\/uuid>/, ''), 'UUID'],
    ['another name', (xml: string) => xml.replace('>web01<', '>web02<'), 'name'],
    ['a tag that nothing ends', (xml: string) => xml.replace('</devices>', ''), 'malformed'],
  ])('is refused with %s, and nothing is defined', async (_what, edit, said) => {
    await expect(write(edit(was))).rejects.toMatchObject({
      code: 'bad-request',
      message: expect.stringContaining(said) as string,
    });
    expect(await definition()).toBe(was);
    expect(fleet.domains).toHaveLength(1);
  });

  it('is refused in libvirt’s words where libvirt refuses it', async () => {
    await expect(write(was.replace("type='kvm'", "type='nothing'"))).rejects.toMatchObject({
      code: 'libvirt',
      message: expect.stringContaining('invalid domain type nothing') as string,
    });
    expect(await definition()).toBe(was);
  });
});
