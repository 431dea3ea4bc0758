// The daemon on this machine: which sockets are tried, and what is said when none is there.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { localSockets, openLocal } from '../../src-main/libvirt/index.ts';
import { failure } from './peer.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-local-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('the modular daemon comes before the monolithic one', () => {
  expect(localSockets('qemu:///system')).toEqual(['/run/libvirt/virtqemud-sock', '/run/libvirt/libvirt-sock']);
  expect(localSockets('test:///default')).toEqual(localSockets('qemu:///system'));
  expect(localSockets('qemu:///system', { readOnly: true })).toEqual([
    '/run/libvirt/virtqemud-sock-ro',
    '/run/libvirt/libvirt-sock-ro',
  ]);
  expect(localSockets('qemu:///session')[1]).toMatch(/\/libvirt\/libvirt-sock$/);
  expect(localSockets('qemu:///session')[1]).not.toMatch(/^\/run\/libvirt/);
  expect(localSockets('qemu:///system', { socket: '/x' })).toEqual(['/x']);
});

// Where there are no UNIX sockets in folders, there is no daemon either.
const onWindows = process.platform === 'win32';

test.skipIf(onWindows)('a socket is opened', async () => {
  const path = join(folder, 'sock');
  const server = createServer((socket) => socket.end('hello')).listen(path);
  const socket = await openLocal('qemu:///system', { socket: path });
  expect(await text(socket)).toBe('hello');
  await new Promise((resolve) => server.close(resolve));
});

test('none there says what to install', async () => {
  const error = await failure(openLocal('qemu:///system', { socket: join(folder, 'none') }));
  expect(error).toMatchObject({ code: 'ENOENT' });
  expect(error.message).toMatch(
    onWindows ? /qemu\+ssh:\/\/HOST/ : /No libvirt daemon listens on this machine.*start libvirtd or virtqemud/,
  );
});

test('it can be called off', async () => {
  const error = await failure(
    openLocal('qemu:///system', { socket: join(folder, 'none'), signal: AbortSignal.abort(new Error('stop')) }),
  );
  expect(error.message).toBe('stop');
});
