import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { KnownHosts } from '../../src-main/ssh/index.ts';
import { aKey, hasSshKeygen, wire } from './keys.ts';

const top = mkdtempSync(join(tmpdir(), 'drover-known-'));
afterAll(() => rmSync(top, { recursive: true, force: true }));

let count = 0;
let own = '';
let user = '';
let system = '';
let known: KnownHosts;
beforeEach(() => {
  const folder = join(top, String((count += 1)));
  own = join(folder, 'drover/known_hosts');
  user = join(top, `user-${count}`);
  system = join(top, `system-${count}`);
  known = new KnownHosts({ own, user: [user], system: [system] });
});

const ed = aKey('ssh-ed25519', 1);
const ed2 = aKey('ssh-ed25519', 2);
const rsa = aKey('ssh-rsa', 3);
const line = (key: Buffer) => wire(key);

describe('a line of known_hosts', () => {
  const table: [what: string, names: string, host: string, port: number, status: string][] = [
    ['a name', 'kvm1', 'kvm1', 22, 'trusted'],
    ['a name in capitals', 'KVM1', 'kvm1', 22, 'trusted'],
    ['a host in capitals', 'kvm1', 'KVM1', 22, 'trusted'],
    ['another name', 'kvm2', 'kvm1', 22, 'unknown'],
    ['one of several names', 'a,kvm1,b', 'kvm1', 22, 'trusted'],
    ['part of a name', 'kvm', 'kvm1', 22, 'unknown'],
    ['an IPv6 address', 'fe80::1', 'fe80::1', 22, 'trusted'],
    ['a port', '[kvm1]:2222', 'kvm1', 2222, 'trusted'],
    ['another port', '[kvm1]:2222', 'kvm1', 2223, 'unknown'],
    ['a port where the usual one is asked', '[kvm1]:2222', 'kvm1', 22, 'unknown'],
    ['no port where one is asked, which OpenSSH takes', 'kvm1', 'kvm1', 2222, 'trusted'],
    ['any characters', '*.lab.example', 'kvm1.lab.example', 22, 'trusted'],
    ['any characters, but not these', '*.lab.example', 'kvm1.lab.example.org', 22, 'unknown'],
    ['one character', 'kvm?', 'kvm1', 22, 'trusted'],
    ['one character, but none', 'kvm1?', 'kvm1', 22, 'unknown'],
    ['any characters and a port', '[*]:2222', 'kvm1', 2222, 'trusted'],
    ['everything', '*', 'kvm1', 2222, 'trusted'],
    ['stars that run away', '*a*a*a*a*a*a*a*a*a*a*b', 'a'.repeat(200), 22, 'unknown'],
    ['an exception before', '!kvm1,kvm*', 'kvm1', 22, 'unknown'],
    ['an exception behind', 'kvm*,!kvm1', 'kvm1', 22, 'unknown'],
    ['an exception for another', '!kvm2,kvm*', 'kvm1', 22, 'trusted'],
    ['an exception alone', '!kvm2', 'kvm1', 22, 'unknown'],
    ['a dot that is no pattern', 'kvm1.lab', 'kvm1xlab', 22, 'unknown'],
  ];
  it.each(table)('%s: %s for %s port %i is %s', async (_what, names, host, port, status) => {
    writeFileSync(user, `${names} ${line(ed)}\n`);
    expect(await known.lookup(host, port, ed)).toBe(status);
  });

  const malformed: [string, string][] = [
    ['nothing', ''],
    ['a comment', `# kvm1 ${line(ed)}`],
    ['no key', 'kvm1 ssh-ed25519'],
    ['a key that is no base64', 'kvm1 ssh-ed25519 ****'],
    ['a key of another type than it says', `kvm1 ssh-rsa ${ed.toString('base64')}`],
    ['a key that was cut', 'kvm1 ssh-ed25519 AAAAC3Nz'],
    ['an unknown marker', `@trusted kvm1 ${line(ed)}`],
    ['a certificate authority, which vouches for certificates only', `@cert-authority kvm1 ${line(ed)}`],
    ['an SSH 1 key', 'kvm1 1024 35 1234567890'],
    ['a hash of an unknown kind', `|2|AAAA|BBBB ${line(ed)}`],
    ['a hash that was cut', `|1|AAAA ${line(ed)}`],
    ['binary rubbish', '\u0000\u0001\ufffd'.repeat(50)],
  ];
  it.each(malformed)('with %s is skipped, and the next one counts', async (_what, text) => {
    writeFileSync(user, `${text}\nkvm9 ${line(ed2)}\n`);
    expect(await known.lookup('kvm1', 22, ed)).toBe('unknown');
    expect(await known.lookup('kvm9', 22, ed2)).toBe('trusted');
  });

  it('may begin with blanks, end with a comment, and with a carriage return', async () => {
    writeFileSync(user, ` \tkvm1\t${line(ed)} root@kvm1 # since May\r\n`);
    expect(await known.lookup('kvm1', 22, ed)).toBe('trusted');
  });
});

describe('a key', () => {
  it('of the known type that differs is changed', async () => {
    writeFileSync(user, `kvm1 ${line(ed)}\n`);
    expect(await known.lookup('kvm1', 22, ed2)).toBe('changed');
  });

  it('of another type than the known one is changed, not unknown', async () => {
    writeFileSync(user, `kvm1 ${line(rsa)}\n`);
    expect(await known.lookup('kvm1', 22, ed)).toBe('changed');
  });

  it('that is one of several is trusted', async () => {
    writeFileSync(user, `kvm1 ${line(rsa)}\nkvm1 ${line(ed2)}\nkvm1 ${line(ed)}\n`);
    for (const key of [rsa, ed, ed2]) expect(await known.lookup('kvm1', 22, key)).toBe('trusted');
  });

  it('that differs from the one known without a port is unknown on another port', async () => {
    writeFileSync(user, `kvm1 ${line(ed)}\n`);
    expect(await known.lookup('kvm1', 2222, ed2)).toBe('unknown');
  });

  it('that is revoked stays so, whatever else trusts it', async () => {
    writeFileSync(user, `kvm1 ${line(ed)}\n`);
    writeFileSync(system, `@revoked * ${line(ed)}\n`);
    expect(await known.lookup('kvm1', 22, ed)).toBe('revoked');
    expect(await known.lookup('kvm1', 22, ed2)).toBe('changed');
  });

  it('is told where it is known from', async () => {
    writeFileSync(system, `# ours\nkvm1 ${line(ed)}\n`);
    expect((await known.of('kvm1', 22)).check(ed2)).toEqual({ status: 'changed', where: [`${system}:2`] });
  });
});

describe('the types to ask for', () => {
  it('are those that are known, our own first', async () => {
    writeFileSync(user, `kvm1 ${line(rsa)}\nkvm2 ${line(ed)}\n`);
    await known.pin('kvm1', 22, aKey('ecdsa-sha2-nistp256', 5));
    expect((await known.of('kvm1', 22)).types).toEqual(['ecdsa-sha2-nistp256', 'ssh-rsa']);
    expect((await known.of('kvm3', 22)).types).toEqual([]);
  });

  it('are not those of an authority or of a revoked key', async () => {
    writeFileSync(user, `@cert-authority kvm1 ${line(rsa)}\n@revoked kvm1 ${line(ed)}\n`);
    expect((await known.of('kvm1', 22)).types).toEqual([]);
  });
});

describe('pinning', () => {
  it('writes a file of its own that only its user may read, and nothing else', async () => {
    writeFileSync(user, '');
    await known.pin('KVM1', 2222, ed);
    expect(readFileSync(own, 'utf8')).toBe(`[kvm1]:2222 ${line(ed)}\n`);
    if (process.platform !== 'win32') expect(statSync(own).mode & 0o777).toBe(0o600);
    expect(readFileSync(user, 'utf8')).toBe('');
    expect(await known.lookup('kvm1', 2222, ed)).toBe('trusted');
  });

  it('of the same key twice leaves one line', async () => {
    await known.pin('kvm1', 22, ed);
    await known.pin('kvm1', 22, ed);
    expect(readFileSync(own, 'utf8')).toBe(`kvm1 ${line(ed)}\n`);
  });

  it('beside another key keeps both; replacing it does not', async () => {
    await known.pin('kvm1', 22, ed);
    await known.pin('kvm1', 22, rsa);
    expect(await known.lookup('kvm1', 22, ed)).toBe('trusted');
    await known.pin('kvm1', 22, ed2, { replace: true });
    expect(await known.lookup('kvm1', 22, ed)).toBe('changed');
    expect(await known.lookup('kvm1', 22, ed2)).toBe('trusted');
  });

  it('keeps the other hosts, the comments and the revoked keys', async () => {
    await known.pin('kvm2', 22, ed);
    writeFileSync(own, `# by hand\n@revoked kvm1 ${line(rsa)}\n${readFileSync(own, 'utf8')}`);
    await known.pin('kvm1', 22, ed2, { replace: true });
    await known.forget('kvm3', 22);
    expect(readFileSync(own, 'utf8').split('\n')).toEqual([
      '# by hand',
      `@revoked kvm1 ${line(rsa)}`,
      `kvm2 ${line(ed)}`,
      `kvm1 ${line(ed2)}`,
      '',
    ]);
  });

  it('many at once loses none', async () => {
    const hosts = Array.from({ length: 30 }, (_, n) => `kvm${n}`);
    await Promise.all(hosts.map((host) => known.pin(host, 22, ed)));
    for (const host of hosts) expect(await known.lookup(host, 22, ed)).toBe('trusted');
  });

  it('refuses what is no key, and goes on', async () => {
    await expect(known.pin('kvm1', 22, Buffer.from('rubbish'))).rejects.toThrow('no host key');
    await known.pin('kvm1', 22, ed);
    expect(await known.lookup('kvm1', 22, ed)).toBe('trusted');
  });

  it('can be undone', async () => {
    await known.pin('kvm1', 22, ed);
    await known.forget('kvm1', 22);
    expect(await known.lookup('kvm1', 22, ed)).toBe('unknown');
  });
});

it('reads a file again when it changed', async () => {
  writeFileSync(user, `kvm1 ${line(ed)}\n`);
  expect(await known.lookup('kvm1', 22, ed2)).toBe('changed');
  writeFileSync(user, `kvm1 ${line(ed)}\nkvm1 ${line(ed2)}\n`);
  expect(await known.lookup('kvm1', 22, ed2)).toBe('trusted');
});

it('reads the file given instead of the user’s, and still the machine’s and its own', async () => {
  const given = `${user}-given`;
  writeFileSync(user, `kvm1 ${line(ed)}\n`);
  writeFileSync(given, `kvm2 ${line(ed)}\n`);
  writeFileSync(system, `kvm3 ${line(ed)}\n`);
  await known.pin('kvm4', 22, ed);
  const statuses = await Promise.all([1, 2, 3, 4].map((n) => known.lookup(`kvm${n}`, 22, ed, { user: [given] })));
  expect(statuses).toEqual(['unknown', 'trusted', 'trusted', 'trusted']);
});

it('takes a file of 50,000 lines', async () => {
  const lines = Array.from({ length: 50_000 }, (_, n) => `kvm${n},10.0.${n >> 8}.${n & 255} ${line(ed)}`);
  writeFileSync(user, lines.join('\n'));
  expect(await known.lookup('kvm49999', 22, ed)).toBe('trusted');
  expect(await known.lookup('kvm50000', 22, ed)).toBe('unknown');
});

describe.skipIf(!hasSshKeygen)('beside ssh-keygen', () => {
  it('finds the names that it hashed, and no others', async () => {
    writeFileSync(user, `kvm1,10.0.0.1 ${line(ed)}\n[kvm1]:2222 ${line(ed2)}\nfe80::1 ${line(rsa)}\n`);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', user], { stdio: 'ignore' });
    expect(readFileSync(user, 'utf8')).not.toContain('kvm1');
    expect(await known.lookup('kvm1', 22, ed)).toBe('trusted');
    expect(await known.lookup('10.0.0.1', 22, ed)).toBe('trusted');
    expect(await known.lookup('kvm1', 2222, ed2)).toBe('trusted');
    expect(await known.lookup('kvm1', 22, ed2)).toBe('changed');
    expect(await known.lookup('fe80::1', 22, rsa)).toBe('trusted');
    expect(await known.lookup('kvm2', 22, ed)).toBe('unknown');
  });

  it('agrees on which lines are a host’s', async () => {
    const names = ['kvm1', '*.example', 'a?c', '!kvm1,kvm*', 'kvm*,!kvm2', '[kvm1]:2222', '[*]:2222', 'KVM1', '*'];
    const hosts: [string, number][] = [
      ...['kvm1', 'kvm2', 'kvm3', 'abc', 'ac', 'x.example', 'example'].map((host): [string, number] => [host, 22]),
      ['kvm1', 2222],
      ['kvm2', 2222],
    ];
    writeFileSync(user, names.map((name, n) => `${name} ${line(aKey('ssh-ed25519', 100 + n))}`).join('\n') + '\n');
    for (const [host, port] of hosts) {
      const name = port === 22 ? host : `[${host}]:${port}`;
      const said = found(user, name);
      const ours = (await known.of(host, port)).check(ed).where.map((where) => Number(where.split(':').at(-1)));
      expect([name, ours]).toEqual([name, said]);
    }
  });
});

/** The numbers of the lines that `ssh-keygen -F` finds. */
function found(file: string, name: string): number[] {
  try {
    const said = execFileSync('ssh-keygen', ['-F', name, '-f', file], { encoding: 'utf8' });
    return [...said.matchAll(/found: line (\d+)/g)].map(([, number]) => Number(number));
  } catch {
    return []; // it exits with 1 when it found none
  }
}
