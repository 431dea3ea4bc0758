import { beforeEach, describe, expect, it } from 'vitest';
import { Room } from './room.ts';

let room: Room;
beforeEach(() => (room = new Room()));
const key = `SHA256:${'k'.repeat(43)}`;

describe('a host at another address', () => {
  /** Known at .2, then at .9. */
  async function moved(stays = false) {
    room.keys.set('10.0.0.2', key).set('10.0.0.9', key);
    room.network.hosts.set('10.0.0.2', {});
    const discovery = await room.open();
    await room.run(discovery, { cidr: '10.0.0.0/28' });
    if (!stays) room.network.hosts.delete('10.0.0.2');
    room.network.hosts.set('10.0.0.9', {});
    return discovery;
  }

  it('is recognised by its key, told once, and shown until it is back', async () => {
    const discovery = await moved();
    const { found } = await room.run(discovery, { cidr: '10.0.0.0/28' });
    expect(found.find(({ address }) => address === '10.0.0.9')?.moved).toEqual({ from: '10.0.0.2', by: 'key' });
    expect(discovery.neighbours().find(({ address }) => address === '10.0.0.9')?.change).toMatch(
      /moved from 10\.0\.0\.2/,
    );
    await room.run(discovery, { cidr: '10.0.0.0/28' });
    expect(room.notices.map(({ message }) => message)).toEqual([
      'The host that was at 10.0.0.2 is now at 10.0.0.9: the same host key, and it is at 10.0.0.2 no more.',
    ]);
  });

  it('is not said to have moved while the old address answers too: a copied machine has the same key', async () => {
    const discovery = await moved(true);
    const { found } = await room.run(discovery, { cidr: '10.0.0.0/28' });
    expect(found.filter((one) => one.moved)).toEqual([]);
    expect(room.notices).toEqual([]);
  });

  it('of the fleet is named, unless it is connected or its UUID is another', async () => {
    const discovery = await moved();
    const kvm = { id: 'h2', address: '10.0.0.2', port: 22, libvirtVersion: '9.0.0', fingerprint: key, label: 'kvm2' };
    const there = { id: 'h9', address: '10.0.0.9', port: 22, libvirtVersion: '9.0.0', fingerprint: key, online: true };
    room.fleet = [
      { ...kvm, online: false, uuid: 'a' },
      { ...there, uuid: 'b', label: 'kvm9' },
    ];
    await room.run(discovery, { cidr: '10.0.0.0/28' });
    expect(room.notices).toEqual([]);
    room.fleet[1]!.uuid = 'a';
    const { found } = await room.run(discovery, { cidr: '10.0.0.0/28' });
    expect(found.find(({ address }) => address === '10.0.0.9')?.moved).toEqual({
      from: '10.0.0.2',
      hostId: 'h2',
      by: 'key and UUID',
    });
    expect(room.notices[0]).toMatchObject({
      hostId: 'h2',
      message:
        'kvm2, which was at 10.0.0.2, is now at 10.0.0.9: the same host key and UUID, and it is at 10.0.0.2 no more. ' +
        'kvm9 is the same machine: remove the old entry.',
    });
  });
});

describe('a machine that changes networks', () => {
  it('in the middle of a sweep counts no silence after it as a host that is gone', async () => {
    room.network.hosts.set('10.0.0.2', {});
    const discovery = await room.open();
    await room.run(discovery, { cidr: '10.0.0.0/28' });
    room.network.hosts.clear();
    const { id } = discovery.scans.start({ cidr: '10.0.0.0/28' });
    room.own = new Set(['192.168.7.7']);
    const { notes, state } = await room.ended(discovery, id);
    expect(state).toBe('completed');
    expect(notes).toEqual([expect.stringMatching(/changed networks during the sweep/)]);
    expect(discovery.neighbours()).toMatchObject([{ address: '10.0.0.2', kind: 'ssh', change: 'new' }]);
  });

  it('before a sweep that finds nobody of those known is asked about it', async () => {
    for (const last of [2, 3]) room.network.hosts.set(`10.0.0.${last}`, {});
    const discovery = await room.open();
    await room.run(discovery, { cidr: '10.0.0.0/28' });
    room.network.hosts.clear();
    expect((await room.run(discovery, { cidr: '10.0.0.0/28' })).notes).toEqual([
      'None of the 2 ports that answered in 10.0.0.0/28 before did so now: is this machine in the same network as then?',
    ]);
  });
});
