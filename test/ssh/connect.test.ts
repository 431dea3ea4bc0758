// Hosts that cannot be connected to, each in its own way: the sentence, and that nothing is left behind.
import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  connectSsh,
  fetchHostKey,
  fingerprint,
  KnownHosts,
  SshError,
  type SshOptions,
} from '../../src-main/ssh/index.ts';
import { aKey, wire } from './keys.ts';
import { person, rawPeer, sshPeer, wireTo, type Peer } from './peers.ts';
import { freePort } from './sshd.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-connect-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
let knownHosts: KnownHosts;
const peers: Peer[] = [];
beforeEach(() => {
  knownHosts = new KnownHosts({ own: join(folder, `known-${(files += 1)}`), user: [], system: [] });
});
afterEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.stop()));
});

const added = async <P extends Peer>(peer: Promise<P>): Promise<P> => {
  peers.push(await peer);
  return peer;
};

function options({ host, port }: { host: string; port: number }, more: Partial<SshOptions> = {}): SshOptions {
  const target = { host, port, user: 'ada', label: 'kvm1', keyFiles: [] };
  return { target, knownHosts, prompts: null, agent: null, home: folder, ...more };
}

async function failure(attempt: Promise<unknown>): Promise<SshError> {
  const error: unknown = await attempt.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  );
  if (!(error instanceof SshError)) throw error;
  expect(error.message).toMatch(/kvm1|127\.0\.0\.1/);
  expect(error.message).toMatch(/[.?)]$/);
  return error;
}

const soon = { connectMs: 300, handshakeMs: 300, loginMs: 300 };

describe('a host that hangs ends in a sentence within its limit', () => {
  it.skipIf(process.platform === 'win32')('before TCP', async () => {
    // A stopped process whose queue of connections is full: the kernel answers no more.
    const script = "require('net').createServer().listen(0,'127.0.0.1',1,function(){console.log(this.address().port)})";
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const held: Socket[] = [];
    try {
      const port = Number(String(await new Promise((resolve) => child.stdout.once('data', resolve))));
      child.kill('SIGSTOP');
      for (let n = 0; n < 8; n += 1) held.push(connect(port, '127.0.0.1').on('error', () => undefined));
      await vi.waitFor(() => expect(held.filter((socket) => !socket.connecting).length).toBeGreaterThan(1));
      const error = await failure(connectSsh(options({ host: '127.0.0.1', port }, { timeouts: soon })));
      expect(error).toMatchObject({ kind: 'timeout', phase: 'connect' });
      expect(error.message).toContain('did not answer on port');
    } finally {
      held.forEach((socket) => socket.destroy());
      child.kill('SIGKILL');
    }
  });

  const phases: [phase: string, words: string, first: string][] = [
    ['banner', 'said nothing that SSH begins with within 0.3 s', ''],
    ['key-exchange', 'began to exchange keys, and did not finish within 0.3 s', 'SSH-2.0-OpenSSH_9.2p1\r\n'],
  ];
  it.each(phases)('in the phase %s', async (phase, words, first) => {
    let closed = 0;
    const peer = await added(
      rawPeer((socket) => {
        if (first) socket.write(first);
        socket.resume().on('close', () => (closed += 1));
      }),
    );
    const error = await failure(connectSsh(options(peer, { timeouts: soon })));
    expect(error).toMatchObject({ kind: 'timeout', phase });
    expect(error.message).toContain(words);
    await vi.waitFor(() => expect(closed).toBe(1));
  });

  it('in the login', async () => {
    const peer = await added(sshPeer(() => undefined, { methods: ['password'] }));
    await knownHosts.pin(peer.host, peer.port, peer.key);
    const error = await failure(connectSsh(options(peer, { timeouts: { loginMs: 300 }, prompts: person('x') })));
    expect(error).toMatchObject({ kind: 'timeout', phase: 'login' });
    await vi.waitFor(() => expect(peer.connections()).toBe(0));
  });

  it('but not while a person is asked', async () => {
    const peer = await added(sshPeer((context) => context.accept(), { methods: ['password'] }));
    await knownHosts.pin(peer.host, peer.port, peer.key);
    const prompts = {
      ask: () => new Promise<string[]>((resolve) => setTimeout(() => resolve(['right']), 400)),
    };
    const ssh = await connectSsh(options(peer, { timeouts: { loginMs: 300 }, prompts }));
    ssh.close();
  });
});

describe('a port that', () => {
  it('nobody listens on', async () => {
    const error = await failure(connectSsh(options({ host: '127.0.0.1', port: await freePort('127.0.0.1') })));
    expect(error).toMatchObject({ kind: 'refused', phase: 'connect' });
    expect(error.message).toContain('nothing answers on port');
  });

  it('speaks HTTP', async () => {
    const page = 'HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>';
    const peer = await added(rawPeer((socket) => socket.once('data', () => socket.end(page))));
    const error = await failure(connectSsh(options(peer)));
    expect(error.kind).toBe('not-ssh');
    expect(error.message).toContain('it said “HTTP/1.1 400 Bad Request”');
  });

  it('says another greeting and waits', async () => {
    const peer = await added(rawPeer((socket) => void socket.write('220 mail.example ESMTP\r\n')));
    const error = await failure(connectSsh(options(peer, { timeouts: soon })));
    expect(error.kind).toBe('not-ssh');
    expect(error.message).toContain('“220 mail.example ESMTP”');
  });

  it.each([
    ['binary rubbish', Buffer.from([0, 255, 13, 7, 27, 91, 51, 49, 109, 0])],
    ['SSH 1', 'SSH-1.5-old\n'],
    ['one endless line', 'x'.repeat(100_000)],
    ['lines without end', 'no\n'.repeat(5000)],
  ])('says %s', async (_what, said) => {
    const peer = await added(rawPeer((socket) => void socket.write(said)));
    const error = await failure(connectSsh(options(peer, { timeouts: soon })));
    expect(error.kind).toBe('not-ssh');
    // eslint-disable-next-line no-control-regex -- nothing of it may reach a terminal
    expect(error.message).not.toMatch(/[\u0000-\u001f\u007f]/);
    expect(error.message.length).toBeLessThan(250);
  });

  it.each([
    ['without a word', '', 'without a word'],
    ['for too many logins', 'Exceeded MaxStartups\r\n', 'MaxStartups'],
  ])('closes %s', async (_what, said, words) => {
    const peer = await added(rawPeer((socket) => void socket.end(said)));
    const error = await failure(connectSsh(options(peer)));
    expect(error).toMatchObject({ kind: 'lost', phase: 'banner' });
    expect(error.message).toContain(words);
  });

  it('breaks off in the key exchange, or goes on with rubbish', async () => {
    const closing = await added(
      rawPeer((socket) => socket.write('SSH-2.0-x\r\n') && socket.once('data', () => socket.end())),
    );
    expect(await failure(connectSsh(options(closing)))).toMatchObject({ kind: 'lost', phase: 'key-exchange' });
    const babbling = await added(
      rawPeer((socket) => void socket.write(`SSH-2.0-x\r\n${'\u00ff'.repeat(4096)}`, 'latin1')),
    );
    expect(await failure(connectSsh(options(babbling)))).toMatchObject({ kind: 'no-key-exchange' });
  });

  it('offers no algorithm that is taken', async () => {
    const peer = await added(sshPeer(undefined, { config: { algorithms: { kex: ['diffie-hellman-group1-sha1'] } } }));
    const error = await failure(connectSsh(options(peer)));
    expect(error.kind).toBe('no-key-exchange');
    expect(error.message).toContain('no matching');
  });

  it('belongs to a name without an address', async () => {
    const error = await failure(connectSsh(options({ host: 'kvm1..invalid', port: 22 })));
    expect(error.kind).toBe('unresolved');
  });
});

describe('the host key', () => {
  it('that is unknown is told, and nothing is sent to the host', async () => {
    const peer = await added(sshPeer());
    const seen = vi.fn();
    const prompts = person('secret');
    const error = await failure(connectSsh(options(peer, { prompts, onHostKey: seen })));
    expect(error).toMatchObject({
      kind: 'untrusted',
      hostKey: { algorithm: 'ecdsa-sha2-nistp256', status: 'unknown', key: peer.key },
    });
    expect(error.message).toContain(error.hostKey?.fingerprint);
    expect(seen).toHaveBeenCalledExactlyOnceWith(error.hostKey);
    await vi.waitFor(() => expect(peer.connections()).toBe(0));
    expect(peer.attempts).toEqual([]);
    expect(prompts.questions).toEqual([]);
  });

  it('that was pinned lets the login begin', async () => {
    const peer = await added(sshPeer());
    const { hostKey } = await failure(connectSsh(options(peer)));
    await knownHosts.pin(peer.host, peer.port, hostKey!.key);
    const ssh = await connectSsh(options(peer, { prompts: person('secret') }));
    expect(ssh.hostKey.status).toBe('trusted');
    ssh.close();
  });

  it('that was approved beforehand is kept, and the login begins', async () => {
    const peer = await added(sshPeer());
    const approve = (trust: string) => ({ ...options(peer, { prompts: person('x') }).target, trust });
    const wrong = await failure(connectSsh({ ...options(peer), target: approve(fingerprint(aKey('ssh-rsa', 1))) }));
    expect(wrong.kind).toBe('untrusted');
    expect(peer.attempts).toEqual([]);
    const target = approve(`${fingerprint(peer.key)}=`);
    const ssh = await connectSsh({ ...options(peer, { prompts: person('x') }), target });
    expect(ssh.hostKey.status).toBe('trusted');
    expect(await knownHosts.lookup(peer.host, peer.port, peer.key)).toBe('trusted');
    ssh.close();
  });

  it('that was approved beforehand does not replace a known one', async () => {
    const peer = await added(sshPeer());
    await knownHosts.pin(peer.host, peer.port, aKey('ssh-rsa', 1));
    const target = { ...options(peer).target, trust: fingerprint(peer.key) };
    expect((await failure(connectSsh({ ...options(peer), target }))).kind).toBe('changed');
    expect(peer.attempts).toEqual([]);
  });

  it('that was approved but cannot be written down is told', async () => {
    const peer = await added(sshPeer());
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const unwritable = new KnownHosts({ own: join(file, 'known_hosts'), user: [], system: [] });
    const target = { ...options(peer).target, trust: fingerprint(peer.key) };
    const error = await failure(
      connectSsh({ ...options(peer, { prompts: person('x') }), target, knownHosts: unwritable }),
    );
    expect(error.message).toContain('could not be written down');
  });

  it.each([
    ['changed', (key: Buffer) => key],
    ['changed for another type', () => aKey('ssh-rsa', 9)],
  ])('that has %s stops hard, even with a password at hand', async (_what, other) => {
    const peer = await added(sshPeer());
    const stranger = await added(sshPeer());
    await knownHosts.pin(peer.host, peer.port, other(stranger.key));
    const error = await failure(connectSsh(options(peer, { prompts: person('secret') })));
    expect(error).toMatchObject({ kind: 'changed', hostKey: { status: 'changed' } });
    expect(error.message).toContain('Nothing was sent to it');
    expect(peer.attempts).toEqual([]);
  });

  it('that is revoked stops hard, whatever the URI says', async () => {
    const peer = await added(sshPeer());
    const target = { host: peer.host, port: peer.port, user: 'ada', label: 'kvm1', keyFiles: [], noVerify: true };
    const revoked = join(folder, 'revoked');
    writeFileSync(revoked, `@revoked * ${wire(peer.key)}\n`);
    const known = new KnownHosts({ own: join(folder, 'none'), user: [revoked], system: [] });
    const error = await failure(connectSsh({ ...options(peer), target, knownHosts: known, prompts: person('x') }));
    expect(error.kind).toBe('revoked');
    expect(peer.attempts).toEqual([]);
  });

  it('is not judged with no_verify, but no password goes to a changed one', async () => {
    const peer = await added(sshPeer());
    const target = { host: peer.host, port: peer.port, user: 'ada', label: 'kvm1', keyFiles: [], noVerify: true };
    const seen = vi.fn();
    const ssh = await connectSsh({ ...options(peer, { prompts: person('x'), onHostKey: seen }), target });
    expect(ssh.hostKey.status).toBe('unknown');
    expect(seen).toHaveBeenCalledTimes(1);
    ssh.close();
    const stranger = await added(sshPeer());
    await knownHosts.pin(peer.host, peer.port, stranger.key);
    const error = await failure(connectSsh({ ...options(peer, { prompts: person('x') }), target }));
    expect(error.kind).toBe('auth-failed');
    expect(error.message).toContain('No password is sent to a host whose key has changed');
    expect(peer.attempts).toEqual(['none', 'keyboard-interactive', 'none']);
  });

  it('is fetched without a login', async () => {
    const peer = await added(sshPeer());
    const fetched = await fetchHostKey(peer.host, peer.port, { timeoutMs: 5000 });
    expect(fetched).toMatchObject({ algorithm: 'ecdsa-sha2-nistp256', key: peer.key });
    expect(fetched.banner).toMatch(/^SSH-2\.0-ssh2js/);
    await vi.waitFor(() => expect(peer.connections()).toBe(0));
    expect(peer.attempts).toEqual([]);
  });

  it('is fetched over a socket that is there already, and that is closed afterwards', async () => {
    const peer = await added(sshPeer());
    const socket = connect(peer.port, peer.host);
    await new Promise((resolve) => socket.once('connect', resolve));
    const { key } = await fetchHostKey(peer.host, peer.port, { timeoutMs: 5000, socket });
    expect(key).toEqual(peer.key);
    expect(socket.destroyed).toBe(true);
  });

  it('is not waited for beyond the limit', async () => {
    const peer = await added(rawPeer());
    const error = await failure(fetchHostKey(peer.host, peer.port, { timeoutMs: 200 }));
    expect(error.kind).toBe('timeout');
  });
});

describe('calling off', () => {
  it.each(['before it begins', 'while the host is silent', 'while a person is asked'])(
    '%s frees the socket',
    async (when) => {
      const control = new AbortController();
      const asked = vi.fn();
      const peer = await added(
        when === 'while the host is silent'
          ? rawPeer(() => control.abort())
          : sshPeer(undefined, { methods: ['password'] }),
      );
      const wire = await added(wireTo(peer.host, peer.port));
      if ('key' in peer) await knownHosts.pin(wire.host, wire.port, peer.key as Buffer);
      if (when === 'before it begins') control.abort();
      const prompts = {
        ask: (_question: unknown, signal: AbortSignal) => {
          asked();
          signal.addEventListener('abort', asked);
          control.abort();
          return new Promise<null>(() => undefined);
        },
      };
      const error = await failure(connectSsh(options(wire, { signal: control.signal, prompts })));
      expect(error.kind).toBe('cancelled');
      expect(asked).toHaveBeenCalledTimes(when === 'while a person is asked' ? 2 : 0);
      await vi.waitFor(() => expect(wire.connections()).toBe(0));
    },
  );
});
