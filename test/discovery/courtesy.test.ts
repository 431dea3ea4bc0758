import { beforeEach, describe, expect, it } from 'vitest';
import { Failure } from '../../contract/failure.ts';
import { Room } from './room.ts';

let room: Room;
beforeEach(() => (room = new Room()));

describe('a forecast', () => {
  it('makes no connection, and says how many there will be and how long they take', async () => {
    const discovery = await room.open();
    const said = discovery.scans.forecast({ cidr: '10.0.0.7/24' });
    expect(said).toMatchObject({ cidr: '10.0.0.0/24', addresses: 254, total: 254, confirm: null });
    expect(said.connections).toEqual({ least: 254, most: 762 });
    expect(said.notes[0]).toMatch(/host bits/);
    expect(room.network.calls).toHaveLength(0);
  });

  it.each([
    ['a /24 where some answer', { cidr: '10.0.0.0/24' }, 5],
    ['a /21 at the usual pace', { cidr: '10.0.0.0/21' }, 5],
    ['a rate of its own', { cidr: '10.0.0.0/24', rate: 100 }, 5],
    ['a patience of its own', { cidr: '10.0.0.0/24', timeoutMs: 1000 }, 0],
  ] as const)('is right within half as much again: %s', async (_, args, hosts) => {
    for (let last = 1; last <= hosts; last += 1) room.network.hosts.set(`10.0.0.${last}`, {});
    const discovery = await room.open();
    const said = discovery.scans.forecast(args);
    const began = room.clock.now();
    const { connections } = await room.run(discovery, args);
    const took = room.clock.now() - began;
    expect(connections).toBeGreaterThanOrEqual(said.connections.least);
    expect(connections).toBeLessThanOrEqual(said.connections.most);
    expect(said.durationMs).toBeGreaterThan(took / 1.5);
    expect(said.durationMs).toBeLessThan(took * 1.5 + 500);
  });

  it('says how long it takes where nobody answers, and nothing is learned', async () => {
    const discovery = await room.open();
    const args = { cidr: '10.0.0.0/24' };
    const { durationMs, durationMostMs } = discovery.scans.forecast(args);
    const began = room.clock.now();
    await room.run(discovery, args);
    const took = room.clock.now() - began;
    expect(durationMs).toBeLessThan(took);
    expect(durationMostMs).toBeGreaterThan(took / 1.5);
    expect(durationMostMs).toBeLessThan(took * 1.5 + 500);
  });

  it('says beforehand what will be asked once more', async () => {
    const discovery = await room.open();
    expect(discovery.scans.forecast({ cidr: '10.0.0.0/12' }).confirm).toMatch(/wider than a \/16/);
    expect(discovery.scans.forecast({ cidr: '10.0.0.0/12', confirm: true }).confirm).toBeNull();
    expect(() => discovery.scans.forecast({ cidr: 'rubbish' })).toThrow(Failure);
  });
});

describe('a sweep beside a migration', () => {
  it('waits while a host of its range migrates, says so, and goes on after it', async () => {
    const discovery = await room.open();
    room.busy = ['10.0.0.5'];
    const { id } = discovery.scans.start({ cidr: '10.0.0.0/24' });
    const paused = () => discovery.scans.get(id).paused;
    expect(paused()).toMatch(/waits while a VM migrates over this network \(10\.0\.0\.5\)/);
    const until = room.clock.now() + 60_000;
    await room.until(() => room.clock.now() > until);
    expect(room.network.calls).toHaveLength(0);
    room.busy = [];
    expect(await room.ended(discovery, id)).toMatchObject({ state: 'completed', paused: null, probed: 254 });
  });

  it('goes on where the migration is in another network, or where it is told to', async () => {
    const discovery = await room.open();
    room.busy = ['10.9.0.5'];
    await room.run(discovery, { cidr: '10.0.0.0/28' });
    room.busy = ['10.0.0.5'];
    await room.run(discovery, { cidr: '10.0.0.0/28', whileMigrating: true });
    const { id } = discovery.scans.start({ cidr: '10.0.0.0/28' });
    discovery.scans.update(id, true);
    expect((await room.ended(discovery, id)).paused).toBeNull();
  });

  it('can be cancelled while it waits', async () => {
    const discovery = await room.open();
    room.busy = ['10.0.0.5'];
    const { id } = discovery.scans.start({ cidr: '10.0.0.0/28' });
    expect(discovery.scans.cancel(id)).toMatchObject({ state: 'cancelled', paused: null });
    await discovery.close();
  });
});

describe('the map of a sweep', () => {
  it('has a mark for each address, in order', async () => {
    room.network.hosts.set('10.0.0.2', {});
    room.network.hosts.set('10.0.0.3', { says: 'closed' });
    room.network.hosts.set('10.0.0.14', { says: 'hello\r\n' });
    room.fleet = [{ id: 'h4', address: '10.0.0.4', port: 22, libvirtVersion: '9.0.0' }];
    room.network.hosts.set('10.0.0.4', {});
    const discovery = await room.open();
    const { id } = discovery.scans.start({ cidr: '10.0.0.0/28' });
    expect(discovery.scans.get(id).map).toBe('0'.repeat(14));
    expect((await room.ended(discovery, id)).map).toBe('9scl999999999o');
    const silent = await room.run(discovery, { cidr: '10.0.0.0/28', pass: 'silent' });
    expect(silent.map).toBe('90009999999990');
  });

  it('fills as the sweep really goes, and never has more than 1024 marks', async () => {
    room.network.hosts.set('10.0.7.250', {});
    const discovery = await room.open();
    const maps: string[] = [];
    discovery.scans.onChange((change) => 'map' in change && maps.push(change.map));
    await room.run(discovery, { cidr: '10.0.0.0/20' });
    const sums = maps.map((map) => [...map].reduce((sum, mark) => sum + (Number(mark) || 0), 0));
    expect(sums).toEqual(sums.toSorted((a, b) => a - b));
    expect(maps.every((map) => map.length === 1024)).toBe(true);
    expect(maps[Math.floor(maps.length / 2)]).toMatch(/[1-8]/);
    expect(maps.at(-1)).toMatch(/^9*s9*$/);
  });
});

describe('libvirt’s own ports', () => {
  it('are noted for what they are, without waiting for them to speak', async () => {
    room.network.hosts.set('10.0.0.2', { says: 'hangs' });
    const began = room.clock.now();
    const { found } = await room.run(await room.open(), { cidr: '10.0.0.2', ports: [16509, 16514] });
    expect(found.map(({ port, kind, service }) => [port, kind, service])).toEqual([
      [16509, 'open', 'libvirt-tcp'],
      [16514, 'open', 'libvirt-tls'],
    ]);
    expect(room.clock.now() - began).toBeLessThan(1000);
  });
});
