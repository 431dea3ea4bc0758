import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { plainKey } from '../../src-main/ssh/host-key.ts';
import { fingerprint, keyType } from '../../src-main/ssh/index.ts';
import { aKey, hasSshKeygen } from './keys.ts';
import { keygen } from './sshd.ts';

describe.skipIf(!hasSshKeygen)('a fingerprint', () => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-keys-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['ed25519', 'ssh-ed25519'],
    ['ecdsa', 'ecdsa-sha2-nistp256'],
    ['rsa', 'ssh-rsa'],
  ])('of an %s key is what ssh-keygen -l says', (type, name) => {
    const path = keygen(join(folder, type), type);
    const [, base64 = ''] = readFileSync(`${path}.pub`, 'utf8').split(' ');
    const key = Buffer.from(base64, 'base64');
    const said = execFileSync('ssh-keygen', ['-lf', `${path}.pub`], { encoding: 'utf8' });
    expect(fingerprint(key)).toBe(said.split(' ')[1]);
    expect(keyType(key)).toBe(name);
    expect(plainKey(key)).toBe(key);
    // The key that a certificate is for is the same, and one that is cut is none.
    const authority = keygen(join(folder, `ca-${type}`), 'ed25519');
    execFileSync('ssh-keygen', ['-q', '-s', authority, '-h', '-I', 'a host', '-n', 'kvm1', `${path}.pub`]);
    const [, signed = ''] = readFileSync(`${path}-cert.pub`, 'utf8').split(' ');
    const certificate = Buffer.from(signed, 'base64');
    expect(plainKey(certificate).equals(key)).toBe(true);
    for (let length = 0; length < 100; length += 1) {
      const cut = certificate.subarray(0, length);
      expect(plainKey(cut).length).toBeLessThanOrEqual(length);
    }
  });
});

it.each([
  ['nothing', Buffer.alloc(0)],
  ['a cut length', Buffer.from([0, 0, 0])],
  ['a length beyond the end', Buffer.from([0, 0, 0, 9, 65])],
  ['an absurd length', Buffer.from([255, 255, 255, 255, 65, 65])],
  ['an empty name', Buffer.from([0, 0, 0, 0, 65, 65])],
  ['a name of control characters', Buffer.from([0, 0, 0, 2, 10, 13, 1])],
])('%s has no key type', (_what, bytes) => {
  expect(keyType(bytes)).toBe('');
});

it('tells the type of a key', () => {
  expect(keyType(aKey('ecdsa-sha2-nistp256', 1))).toBe('ecdsa-sha2-nistp256');
});
