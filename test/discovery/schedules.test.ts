import { beforeEach, describe, expect, it } from 'vitest';
import type { Discovery } from '../../src-main/discovery/index.ts';
import { Room } from './room.ts';

let room: Room;
beforeEach(() => (room = new Room()));
const hours = (count: number) => count * 3_600_000;
const scheduled = ({ scans }: Discovery) => scans.list().filter((scan) => scan.scheduled);

describe('schedules', () => {
  it('are off, but for the known libvirt hosts, which alone are called', async () => {
    room.fleet = [{ id: 'h', address: '10.0.3.8', port: 2222, libvirtVersion: '9.0.0', online: false }];
    room.network.hosts.set('10.0.3.8', {});
    const discovery = await room.open();
    const { cidr, passes } = discovery.schedules.view();
    expect(cidr).toBeNull();
    expect(Object.entries(passes).filter(([, { on }]) => on)).toHaveLength(1);
    await room.until(() => room.clock.now() > hours(3));
    expect(room.network.calls.map(({ address, port }) => `${address}:${port}`)).toEqual([
      '10.0.3.8:2222',
      '10.0.3.8:2222',
      '10.0.3.8:2222',
    ]);
    expect(room.notices).toEqual([]);
    await discovery.close();
    expect(room.clock.pending).toBe(0);
  });

  it('do not call a host that is connected: that it is there is known', async () => {
    room.fleet = [
      { id: 'here', address: '10.0.3.7', port: 22, libvirtVersion: '9.0.0', online: true },
      { id: 'away', address: '10.0.3.8', port: 22, libvirtVersion: '9.0.0', online: false },
    ];
    const discovery = await room.open();
    await room.until(() => scheduled(discovery)[0]?.state === 'completed');
    expect(new Set(room.network.calls.map(({ address }) => address))).toEqual(new Set(['10.0.3.8']));
    expect(scheduled(discovery)[0]!.notes).toContain('Not called, since they are connected: 1.');
    room.fleet[1]!.online = true;
    const before = room.network.calls.length;
    await room.until(() => scheduled(discovery)[1]?.state === 'completed');
    expect(room.network.calls).toHaveLength(before);
    expect(scheduled(discovery)[1]!.notes).toContain('Every libvirt host that is known is connected.');
    await discovery.close();
  });

  it('go when they are due, slowly, and quietly tell what is new', async () => {
    const discovery = await room.open();
    discovery.schedules.set({ cidr: '10.0.0.3/24', passes: { silent: { on: true, everyMinutes: 60 } } });
    expect(discovery.schedules.view().cidr).toBe('10.0.0.0/24');
    await room.until(() => scheduled(discovery)[0]?.state === 'completed');
    expect(room.network.calls.length / (room.network.calls.at(-1)!.at - room.network.calls[0]!.at)).toBeLessThan(0.21);
    room.network.hosts.set('10.0.0.7', {});
    await room.until(() => scheduled(discovery)[1]?.state === 'completed');
    await room.until(() => scheduled(discovery)[2]?.state === 'completed');
    expect(room.notices.map(({ level, message }) => [level, message])).toEqual([
      ['info', 'A scheduled scan found a new host: 10.0.0.7. “Find Hosts” shows more.'],
    ]);
    expect(scheduled(discovery)[2]!.total).toBe(253);
    await discovery.close();
  });

  it('outlive the app, and are not run at once when it starts', async () => {
    const first = await room.open();
    first.schedules.set({
      cidr: '10.0.0.0/28',
      passes: { full: { on: true, everyMinutes: 60 }, known: { on: false } },
    });
    await room.until(() => scheduled(first)[0]?.state === 'completed');
    await first.close();
    const { lastAt } = first.schedules.view().passes.full;
    const second = await room.open();
    expect(second.schedules.view()).toMatchObject({ cidr: '10.0.0.0/28', passes: { full: { on: true, lastAt } } });
    const before = room.network.calls.length;
    const half = room.clock.now() + hours(0.5);
    await room.until(() => room.clock.now() > half);
    expect(room.network.calls).toHaveLength(before);
    await room.until(() => scheduled(second)[0]?.state === 'completed');
    await second.close();
  });

  it('run one at a time, and at once when asked to', async () => {
    const discovery = await room.open();
    discovery.schedules.set({ cidr: '10.0.0.0/24' });
    const { id } = discovery.schedules.run('full');
    expect(() => discovery.schedules.run('silent')).toThrow(/running already/);
    await room.ended(discovery, id);
    await room.ended(discovery, discovery.schedules.run('silent').id);
    await discovery.close();
  });

  it('are refused in a sentence where they lack a range, or would call strangers unasked', async () => {
    const discovery = await room.open();
    const { set, run } = {
      set: discovery.schedules.set.bind(discovery.schedules),
      run: discovery.schedules.run.bind(discovery.schedules),
    };
    expect(() => set({ passes: { full: { on: true } } })).toThrow(/needs a range/);
    expect(() => set({ cidr: '8.8.8.0/24' })).toThrow(/public/);
    expect(() => run('full')).toThrow(/needs a range/);
    expect(() => run('known')).toThrow(/No libvirt host is known yet/);
    expect(discovery.schedules.view().cidr).toBeNull();
    expect(set({ cidr: '8.8.8.0/24', confirm: true }).cidr).toBe('8.8.8.0/24');
    await discovery.close();
  });

  it('survive a store that holds rubbish', async () => {
    room.kept.set('schedules', { passes: 7 });
    const discovery = await room.open();
    expect(discovery.schedules.view().passes.known.on).toBe(true);
    await discovery.close();
  });
});
