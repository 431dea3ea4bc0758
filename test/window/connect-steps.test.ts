// Where connecting to a host stands, step by step.
import { describe, expect, it } from 'vitest';
import type { HostKey, HostState } from '../../contract/model.ts';
import { connectSteps } from '../../src-renderer/parts/connect-steps.ts';

const key = (status: HostKey['status']): HostKey => ({ algorithm: 'ssh-ed25519', fingerprint: 'SHA256:x', status });
const steps = (state: HostState, hostKey: HostKey | null, asking = false, uri = 'qemu+ssh://kvm1/system') =>
  connectSteps({ state, hostKey, uri }, asking)
    .map((step) => step.state)
    .join(' ');

describe('connecting', () => {
  it.each([
    ['connecting', null, false, 'now later later later'],
    ['unreachable', null, false, 'stopped later later later'],
    ['untrusted', key('unknown'), false, 'done now later later'],
    ['untrusted', key('changed'), false, 'done stopped later later'],
    ['connecting', key('trusted'), true, 'done done now later'],
    ['auth-failed', key('trusted'), false, 'done done stopped later'],
    ['not-libvirt', key('trusted'), false, 'done done done stopped'],
    ['online', key('trusted'), false, 'done done done done'],
    ['disconnected', key('trusted'), false, 'later later later later'],
  ] as const)('%s with key %j, asking %s: %s', (state, hostKey, asking, expected) => {
    expect(steps(state, hostKey, asking)).toBe(expected);
  });

  it('to this machine has one step alone', () => {
    expect(steps('connecting', null, false, 'qemu:///system')).toBe('now');
    expect(steps('not-libvirt', null, false, 'qemu:///system')).toBe('stopped');
    expect(steps('online', null, false, 'test:///default')).toBe('done');
  });
});
