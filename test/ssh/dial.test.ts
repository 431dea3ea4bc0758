// A name with addresses of both families, and an address to connect from.
import { expect, it, vi } from 'vitest';
import { dial } from '../../src-main/ssh/dial.ts';
import { rawPeer } from './peers.ts';

vi.mock('../../src-main/ssh/addresses.ts', () => ({ addressesOf: async () => ['::1', '127.0.0.1'] }));

it('what is told is of the address that could have been reached', async () => {
  const peer = await rawPeer();
  const to = { host: 'kvm1', port: peer.port, label: 'kvm1', timeoutMs: 5000 };
  const socket = await dial({ ...to, from: '127.0.0.1' });
  expect(socket.remoteAddress).toBe('127.0.0.1');
  socket.destroy();
  await expect(dial({ ...to, from: '192.0.2.1' })).rejects.toThrow(/no address of this machine/);
  await peer.stop();
  await expect(dial({ ...to, from: '127.0.0.1' })).rejects.toThrow(/nothing answers on port/);
});
