// Errors as an admin is told of them.
import { describe, expect, it } from 'vitest';
import { Failure } from '../../contract/failure.ts';
import { explain, explainAbsence, stateAfter } from '../../src-main/fleet/explain.ts';
import {
  AuthFailed,
  CallTimeout,
  ConnectionLost,
  LibvirtError,
  PeerGone,
  ProtocolError,
  XdrError,
} from '../../src-main/libvirt/index.ts';
import { SshError, type SshErrorKind } from '../../src-main/ssh/index.ts';

const libvirt = (code: number, domain = 10, message: string | null = 'Requested operation is not valid') =>
  new LibvirtError('domain_create_with_flags', {
    code,
    domain,
    message,
    level: 2,
    dom: null,
    str1: null,
    str2: null,
    str3: null,
    int1: 0,
    int2: 0,
    net: null,
  });
const ssh = (kind: SshErrorKind) => new SshError(kind, 'connect', `kvm1 is not there (${kind}).`);

const ofSsh: [SshErrorKind, string, string][] = [
  ['unresolved', 'unreachable', 'unreachable'],
  ['refused', 'unreachable', 'unreachable'],
  ['unreachable', 'unreachable', 'unreachable'],
  ['timeout', 'unreachable', 'timeout'],
  ['not-ssh', 'unreachable', 'unreachable'],
  ['no-key-exchange', 'unreachable', 'unreachable'],
  ['lost', 'unreachable', 'unreachable'],
  ['channel-refused', 'unreachable', 'unreachable'],
  ['untrusted', 'untrusted', 'untrusted-host-key'],
  ['changed', 'untrusted', 'untrusted-host-key'],
  ['revoked', 'untrusted', 'untrusted-host-key'],
  ['auth-failed', 'auth-failed', 'auth-failed'],
  ['cancelled', 'auth-failed', 'auth-failed'],
  ['no-permission', 'auth-failed', 'auth-failed'],
  ['no-libvirt', 'not-libvirt', 'unreachable'],
];

describe.each(ofSsh)('SSH: %s', (kind, state, code) => {
  it('is told in its own words', () => {
    expect(explain(ssh(kind), 'kvm1', 'connecting')).toMatchObject({
      code,
      message: `kvm1 is not there (${kind}).`,
      detail: { cause: kind },
    });
    expect(stateAfter(ssh(kind))).toBe(state);
  });

  it('counts, too, where it broke a libvirt connection on its way', () => {
    const gone = new PeerGone('The connection broke.', { cause: ssh(kind) });
    for (const error of [gone, new ConnectionLost('connect_open', true, gone)]) {
      expect(stateAfter(error)).toBe(state);
      expect(explainAbsence(error, 'kvm1')).toMatchObject({ code, message: `kvm1 is not there (${kind}).` });
    }
  });
});

it('a host key goes with its fingerprint', () => {
  const hostKey = {
    algorithm: 'ssh-ed25519',
    fingerprint: 'SHA256:x',
    key: Buffer.alloc(0),
    status: 'unknown',
  } as const;
  const error = new SshError('untrusted', 'key-exchange', 'Unknown.', hostKey as never);
  expect(explain(error, 'kvm1', 'connecting').detail).toEqual({
    cause: 'untrusted',
    fingerprint: 'SHA256:x',
    algorithm: 'ssh-ed25519',
  });
});

describe('libvirt’s own errors', () => {
  it('are told in its words, with its numbers', () => {
    expect(explain(libvirt(55), 'kvm1', 'starting web01')).toMatchObject({
      code: 'libvirt',
      message: 'kvm1, starting web01: libvirt says “Requested operation is not valid”.',
      detail: { number: 55, domain: 10 },
    });
  });
  it.each([42, 43, 49, 50])('%d: what was meant is not there', (code) => {
    expect(explain(libvirt(code), 'kvm1', 'starting web01').code).toBe('not-found');
  });
  it.each([
    [45, 'auth-failed'],
    [79, 'auth-failed'],
    [94, 'auth-failed'],
    [38, 'not-libvirt'],
  ])('%d while connecting: %s', (code, state) => expect(stateAfter(libvirt(code))).toBe(state));
});

describe('a lost connection', () => {
  const gone = new PeerGone('The daemon hung up.');
  it('leaves in doubt what was sent', () => {
    const { code, message } = explain(new ConnectionLost('domain_suspend', true, gone), 'kvm1', 'pausing web01');
    expect(code).toBe('unreachable');
    expect(message).toMatch(/kvm1 was lost, pausing web01\. Whether it was done is not known/);
  });
  it('and not what was never sent', () => {
    expect(explain(new ConnectionLost('domain_suspend', false, gone), 'kvm1', 'pausing web01').message).toMatch(
      /Nothing was done/,
    );
  });
  it('says of a host only that, and why', () => {
    expect(explainAbsence(new ConnectionLost('connect_get_type', true, gone), 'kvm1').message).toBe(
      'The connection to libvirt on kvm1 ended: The daemon hung up. Drover connects again by itself.',
    );
  });
});

it('a failure stays what it is', () => {
  const failure = new Failure('refused', 'No.');
  expect(explain(failure, 'kvm1', 'x')).toBe(failure);
});

const all: [string, unknown, string][] = [
  ['timeout', new CallTimeout('domain_suspend', 60_000, true), 'timeout'],
  ['no permission', new AuthFailed('polkit says no'), 'auth-failed'],
  ['protocol', new ProtocolError('a packet of 3 bytes'), 'unreachable'],
  ['aborted', new DOMException('x', 'AbortError'), 'unreachable'],
  ['bad arguments', new XdrError('the string is too long'), 'internal'],
  ['a bug', new TypeError('x is undefined'), 'internal'],
  ['no error', 'odd', 'internal'],
  ['libvirt without words', libvirt(1, 10, null), 'libvirt'],
  ['libvirt with a full stop', libvirt(1, 10, 'It failed.'), 'libvirt'],
  ['gone', new PeerGone('The daemon hung up.'), 'unreachable'],
];
it.each(all)('%s: a sentence that names the host and ends', (_what, error, code) => {
  for (const failure of [explain(error, 'kvm1', 'pausing web01'), explainAbsence(error, 'kvm1')]) {
    expect(failure.code).toBe(code);
    expect(failure.message).toContain('kvm1');
    expect(failure.message).toMatch(/[^.][.”]\.?$/);
    expect(failure.message).not.toMatch(/\.\.$/);
  }
});
