// What is sent to who helps: how Drover does, and nothing that says whose it is.
import { expect, it } from 'vitest';
import type { HostView, MigrationView } from '../../contract/model.ts';
import { diagnostics, LogTail } from '../../src-main/api/diagnostics.ts';

const host = (at: number, label: string, over: Partial<HostView> = {}): HostView => ({
  id: `id-of-${at}`,
  uri: `qemu+ssh://alice@${label}.corp.example:2222/system?keyfile=/home/alice/.ssh/id`,
  label,
  state: 'online',
  error: null,
  hostKey: null,
  connections: 1,
  info: null,
  domains: { running: 1, total: 2 },
  readOnly: false,
  group: null,
  retryAt: null,
  ...over,
});

const names = [
  'kvm-alpha',
  'kvm-beta',
  'alice',
  'corp.example',
  'web01',
  'db (main)',
  '10.1.2.3',
  'fd00::17',
  'AAAA1111',
];

const whole = () =>
  diagnostics({
    version: '1.2.3',
    uptimeMs: 1000,
    hosts: [
      host(1, 'kvm-alpha'),
      host(2, 'kvm-beta', {
        state: 'unreachable',
        error: { code: 'unreachable', message: 'kvm-beta (10.1.2.3, fd00::17) does not answer; KVM-Alpha does.' },
      }),
    ],
    domains: [
      { hostId: 'id-of-1', name: 'web01', uuid: '0d0e0001-1ab0-4000-8000-000000000001' },
      { hostId: 'id-of-2', name: 'db (main)', uuid: '0d0e0001-1ab0-4000-8000-000000000002' },
    ],
    migrations: [
      {
        uuid: '0d0e0001-1ab0-4000-8000-000000000001',
        name: 'web01',
        from: 'id-of-1',
        to: 'id-of-2',
        options: { mode: 'live', transport: 'direct', storage: 'shared' },
        state: 'failed',
        phase: 'prepare',
        startedAt: '2026-01-01T00:00:00.000Z',
        endedAt: null,
        error: { code: 'libvirt', message: 'kvm-beta, migrating web01 from kvm-alpha: libvirt says “no”.' },
        notices: ['db (main) is on kvm-alpha.corp.example, as alice in /home/alice.'],
      } as unknown as MigrationView,
    ],
    log: [`2026-01-01T10:20:30.000Z kvm-alpha shows the key SHA256:${'AAAA1111'.padEnd(43, 'B')} at 10:20:30`],
  });

it('names nobody, wherever a name stands', () => {
  const text = JSON.stringify(whole());
  for (const name of names) expect(text.toLowerCase()).not.toContain(name.toLowerCase());
  expect(text).not.toContain('0d0e0001');
  expect(text).not.toContain('id-of-');
});

it('still says what happened to which of them', () => {
  const { hosts, migrations, log, leftOut } = whole();
  expect(hosts[1]).toMatchObject({ name: 'host-2', scheme: 'qemu+ssh', state: 'unreachable' });
  expect(hosts[1]?.error?.message).toBe('host-2 (address, address) does not answer; host-1 does.');
  expect(migrations[0]).toMatchObject({ from: 'host-1', to: 'host-2', transport: 'direct', state: 'failed' });
  expect(migrations[0]?.error?.message).toBe('host-2, migrating vm-1 from host-1: libvirt says “no”.');
  expect(log[0]).toBe('2026-01-01T10:20:30.000Z host-1 shows the key fingerprint at 10:20:30');
  expect(leftOut.length).toBeGreaterThan(2);
});

it('keeps the last lines of the log, and no endless one', () => {
  const tail = new LogTail();
  for (let at = 0; at < 2_000; at += 1) tail.add(`line ${at} ${'x'.repeat(5_000)}`);
  expect(tail.all).toHaveLength(400);
  expect(tail.all.at(-1)).toContain('line 1999');
  expect(Math.max(...tail.all.map((line) => line.length))).toBeLessThan(2_100);
});
