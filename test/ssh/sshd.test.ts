// The real OpenSSH server: every kind of key, the agent, its limits, and what its streams do.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  connectSsh,
  fetchHostKey,
  fingerprint,
  KnownHosts,
  SecretCache,
  SshError,
  type SshConnection,
  type SshOptions,
} from '../../src-main/ssh/index.ts';
import { person, wireTo, type Wire } from './peers.ts';
import { keygen, sshdIsHere, startSshd, type Sshd } from './sshd.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-sshd-test-'));
const at = (name: string) => join(folder, name);
const open: SshConnection[] = [];
const secrets = new SecretCache();
let sshd: Sshd;
let knownHosts: KnownHosts;

async function trust(server: { host: string; port: number }, key = sshd.hostKeys[0]) {
  await knownHosts.pin(server.host, server.port, Buffer.from(key!.split(' ')[1]!, 'base64'));
}

async function login(
  keyFiles: string[] | undefined,
  more: Partial<SshOptions> = {},
  server: { host: string; port: number } = sshd,
): Promise<SshConnection> {
  const target = { host: server.host, port: server.port, user: 'root', label: 'kvm1', ...(keyFiles && { keyFiles }) };
  const ssh = await connectSsh({ target, knownHosts, prompts: null, agent: null, home: folder, ...more });
  open.push(ssh);
  return ssh;
}

async function refusal(attempt: Promise<unknown>): Promise<SshError> {
  const error: unknown = await attempt.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  );
  if (!(error instanceof SshError)) throw error;
  return error;
}

describe.skipIf(!sshdIsHere)('on a real sshd', () => {
  const keys = {
    ed25519: at('ed25519'),
    ecdsa256: at('ecdsa256'),
    ecdsa384: at('ecdsa384'),
    ecdsa521: at('ecdsa521'),
    rsa: at('rsa'),
    'rsa in PEM': at('rsa-pem'),
  };
  const locked = at('locked');
  const lockedPem = at('locked-pem');
  const stranger = at('stranger');

  beforeAll(async () => {
    keygen(keys.ed25519, 'ed25519');
    for (const bits of [256, 384, 521]) keygen(at(`ecdsa${bits}`), 'ecdsa', { bits });
    keygen(keys.rsa, 'rsa', { bits: 2048 });
    keygen(keys['rsa in PEM'], 'rsa', { bits: 2048, pem: true });
    keygen(locked, 'ed25519', { passphrase: 'open sesame' });
    keygen(lockedPem, 'rsa', { bits: 2048, pem: true, passphrase: 'open sesame' });
    keygen(stranger, 'ed25519');
    const authorized = [...Object.values(keys), locked, lockedPem].map((path) => `${path}.pub`);
    sshd = await startSshd({ authorized });
  }, 60_000);
  beforeEach(async () => {
    knownHosts = new KnownHosts({ own: at('known_hosts'), user: [], system: [] });
    await trust(sshd);
  });
  afterEach(async () => {
    for (const ssh of open.splice(0)) ssh.close();
    secrets.clear();
    rmSync(at('known_hosts'), { force: true });
  });
  afterAll(async () => {
    await sshd.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  describe('a key file', () => {
    it.each(Object.entries(keys))('of the kind %s logs in', async (_kind, path) => {
      const ssh = await login([path]);
      expect(ssh.user).toBe('root');
      expect(ssh.banner).toMatch(/^SSH-2\.0-OpenSSH/);
      expect(await ssh.run('echo $((6 * 7)); echo aside >&2; exit 3')).toEqual({
        stdout: '42\n',
        stderr: 'aside\n',
        code: 3,
      });
    });

    it('behind a passphrase is opened by it, once for all connections', async () => {
      const prompts = person('wrong', 'open sesame');
      await login([locked], { prompts, secrets });
      expect(prompts.questions).toMatchObject([
        { kind: 'passphrase', title: locked, again: false },
        { kind: 'passphrase', title: locked, again: true },
      ]);
      await login([locked], { secrets });
    });

    it('behind a passphrase is asked for once, though several hosts want it at the same time', async () => {
      const prompts = person('open sesame');
      await Promise.all([1, 2, 3].map(() => login([locked], { prompts, secrets })));
      expect(prompts.questions).toHaveLength(1);
    });

    it('behind a passphrase that one person cancels is cancelled for all who wait for it', async () => {
      const before = sshd.log().length;
      const everyoneWaits = () =>
        vi.waitFor(
          () =>
            expect(
              sshd
                .log()
                .slice(before)
                .match(/Postponed publickey/g),
            ).toHaveLength(3),
          5000,
        );
      const asked = person(null);
      const prompts = {
        ask: async (...question: Parameters<typeof asked.ask>) => {
          await everyoneWaits();
          await new Promise((resolve) => setTimeout(resolve, 50)); // until the host's word has come to the last of them
          return asked.ask(...question);
        },
      };
      const errors = await Promise.all([1, 2, 3].map(() => refusal(login([locked], { prompts, secrets }))));
      expect(errors.map(({ kind }) => kind)).toEqual(['cancelled', 'cancelled', 'cancelled']);
      expect(asked.questions).toHaveLength(1);
    });

    it('behind a passphrase is not asked for when the host would not take it', async () => {
      const other = keygen(at('other'), 'ed25519', { passphrase: 'open sesame' });
      const prompts = person('open sesame');
      const error = await refusal(login([other], { prompts }));
      expect(error).toMatchObject({ kind: 'auth-failed' });
      expect(error.message).toContain(`tried ${other}.`);
      expect(prompts.questions).toEqual([]);
    });

    it('in PEM behind a passphrase is offered by its .pub, and asked for without one', async () => {
      await login([lockedPem], { prompts: person('open sesame') });
      renameSync(`${lockedPem}.pub`, at('aside'));
      const prompts = person('open sesame');
      await login([lockedPem], { prompts });
      expect(prompts.questions).toHaveLength(1);
      renameSync(at('aside'), `${lockedPem}.pub`);
    });

    it('behind a passphrase that nobody gives is told', async () => {
      expect((await refusal(login([locked]))).message).toContain(
        `The key ${locked} has a passphrase, and there is nobody to ask`,
      );
      const error = await refusal(login([locked], { prompts: person('a', 'b', 'c') }));
      expect(error.message).toContain(`The passphrase given for ${locked} does not open it`);
      expect((await refusal(login([locked], { prompts: person(null) }))).kind).toBe('cancelled');
    });

    it('that cannot be used is told, with the reason', async () => {
      expect((await refusal(login([at('missing')]))).message).toContain(`The key file ${at('missing')} does not exist`);
      expect((await refusal(login([`${keys.rsa}.pub`]))).message).toMatch(
        /is a public key, and the agent does not hold its private one/,
      );
      expect((await refusal(login([folder]))).message).toContain(`The key file ${folder} could not be read`);
      chmodSync(stranger, 0o644);
      const open = await refusal(login([stranger]));
      expect(open.message).toContain(
        `can be read by others, and is not used until they cannot (chmod 600 ${stranger})`,
      );
      chmodSync(stranger, 0o600);
    });

    it('that is refused is told, with what would help', async () => {
      const error = await refusal(login([stranger, at('ecdsa-none')]));
      expect(error).toMatchObject({ kind: 'auth-failed', phase: 'login' });
      expect(error.message).toContain(`kvm1 refused the login as root: tried ${stranger}. It takes publickey.`);
      expect(error.message).toContain('authorized_keys');
    });

    it('is found in the home folder where none is named', async () => {
      execFileSync('mkdir', ['-p', at('.ssh')]);
      execFileSync('cp', [keys.ecdsa256, at('.ssh/id_ecdsa')]);
      await login(undefined);
      await login(['~/.ssh/id_ecdsa']);
    });
  });

  describe('the agent', () => {
    let agent: ChildProcess;
    const socket = at('agent');
    beforeAll(async () => {
      agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
      await vi.waitFor(() => expect(existsSync(socket)).toBe(true));
    });
    afterAll(() => agent.kill());
    const add = (...paths: string[]) => {
      execFileSync('ssh-add', ['-q', '-D'], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
      for (const path of paths) {
        execFileSync('ssh-add', ['-q', path], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
      }
    };

    it.each(['ed25519', 'ecdsa521', 'rsa'] as const)('signs with a key of the kind %s', async (kind) => {
      add(keys[kind]);
      await login([], { agent: socket });
    });

    it('is asked instead of the person, for a locked file that it holds', async () => {
      const copy = at('locked-copy');
      execFileSync('cp', [locked, copy]);
      execFileSync('ssh-keygen', ['-q', '-p', '-P', 'open sesame', '-N', '', '-f', copy]);
      add(copy);
      const prompts = person();
      await login([locked], { agent: socket, prompts });
      expect(prompts.questions).toEqual([]);
    });

    it('that holds no key of the host’s leaves the turn to the files', async () => {
      add(stranger);
      await login([keys.ed25519], { agent: socket });
    });

    it('that holds too many keys ends in a sentence, but not for a host with a key of its own', async () => {
      const many = Array.from({ length: 7 }, (_, n) => keygen(at(`many${n}`), 'ed25519'));
      add(...many);
      const error = await refusal(login([], { agent: socket }));
      expect(error.kind).toBe('auth-failed');
      expect(error.message).toContain('Too many authentication failures');
      expect(error.message).toMatch(/tried agent \(\d keys\)/);
      expect(error.message).toContain('keyfile=');
      await login([keys.ed25519], { agent: socket });
    });

    it('that signs with rubbish, or refuses to, is no failure', async () => {
      const [, base64 = ''] = readFileSync(`${keys.ecdsa256}.pub`, 'utf8').split(' ');
      const blob = Buffer.from(base64, 'base64');
      const field = (bytes: Buffer) => Buffer.concat([u32(bytes.length), bytes]);
      const u32 = (value: number) =>
        Buffer.from([value >>> 24, value >>> 16, value >>> 8, value].map((byte) => byte & 255));
      const message = (...parts: Buffer[]) => field(Buffer.concat(parts));
      const rubbish = [
        message(Buffer.from([14]), field(Buffer.concat([field(Buffer.from('ecdsa')), field(Buffer.alloc(70, 7))]))),
        message(Buffer.from([5])),
        Buffer.from([255, 255, 255, 255]),
      ];
      for (const answer of rubbish) {
        const path = at(`rubbish-${rubbish.indexOf(answer)}`);
        const rogue = createServer((peer) => {
          peer
            .on('error', () => undefined)
            .on('data', (asked) => {
              const keysWanted = asked[4] === 11;
              peer.write(
                keysWanted ? message(Buffer.from([12]), u32(1), field(blob), field(Buffer.from('rogue'))) : answer,
              );
              if (answer.length === 4 && !keysWanted) peer.end();
            });
        }).listen(path);
        const attempt = await login([keys.ed25519], { agent: path }).then(
          () => 'logged in',
          (error: SshError) => error.kind,
        );
        expect(['logged in', 'auth-failed']).toContain(attempt);
        rogue.close();
      }
    });

    it('that is gone, or hangs, is no failure', async () => {
      await login([keys.ed25519], { agent: at('no-agent') });
      const hanging = createServer(() => undefined).listen(at('hanging'));
      await login([keys.ed25519], { agent: at('hanging') });
      hanging.close();
    });
  });

  it('two keys are given where the host wants two', async () => {
    const strict = await startSshd({
      authorized: [`${keys.ed25519}.pub`, `${keys.rsa}.pub`],
      lines: ['AuthenticationMethods publickey,publickey'],
    });
    await trust(strict, strict.hostKeys[0]);
    await login([keys.ed25519, keys.rsa], {}, strict);
    const error = await refusal(login([keys.ed25519], {}, strict));
    expect(error.kind).toBe('auth-failed');
    await strict.stop();
  });

  describe('the host key', () => {
    it.each([
      [0, 'ssh-ed25519'],
      [1, 'ecdsa-sha2-nistp256'],
      [2, 'ssh-rsa'],
    ])('number %i is what the host shows when it is the known one', async (index, algorithm) => {
      await knownHosts.forget(sshd.host, sshd.port);
      await trust(sshd, sshd.hostKeys[index]);
      const ssh = await login([keys.ed25519]);
      expect(ssh.hostKey).toMatchObject({ algorithm, status: 'trusted' });
    });

    it.each(['rsa', 'ecdsa', 'ed25519'])('of the type %s that was approved is asked for', async (type) => {
      await knownHosts.forget(sshd.host, sshd.port);
      const line = sshd.hostKeys.find((key) => key.includes(type)) ?? '';
      const trust = fingerprint(Buffer.from(line.split(' ')[1] ?? '', 'base64'));
      const { host, port } = sshd;
      const target = { host, port, user: 'root', label: 'kvm1', keyFiles: [keys.ed25519], trust };
      const ssh = await login([], { target });
      expect(ssh.hostKey).toMatchObject({ fingerprint: trust, status: 'trusted' });
    });

    it('is what ssh-keygen says of it', async () => {
      const fetched = await fetchHostKey(sshd.host, sshd.port, { timeoutMs: 5000, types: ['ssh-rsa'] });
      const said = execFileSync('ssh-keygen', ['-lf', join(sshd.folder, 'host_rsa.pub')], { encoding: 'utf8' });
      expect(said).toContain(fetched.fingerprint);
    });

    it('that is unknown keeps everything from the host, an agent’s keys too', async () => {
      await knownHosts.forget(sshd.host, sshd.port);
      const before = sshd.log().length;
      expect((await refusal(login([keys.ed25519]))).kind).toBe('untrusted');
      await vi.waitFor(() => expect(sshd.log().slice(before)).toMatch(/Connection (closed|reset)/));
      expect(sshd.log().slice(before)).not.toMatch(/publickey|Accepted|Failed|root/);
    });
  });

  describe('a stream', () => {
    let echo: Server;
    let tcp: Server;
    const socket = at('echo');
    let ssh: SshConnection;
    const accepted: Duplex[] = [];
    beforeAll(() => {
      echo = createServer((peer) => {
        accepted.push(peer);
        peer.on('error', () => undefined).pipe(peer);
      }).listen(socket);
      tcp = createServer((peer) => peer.end('hello')).listen(0, '127.0.0.1');
    });
    afterAll(() => {
      echo.close();
      tcp.close();
    });
    beforeEach(async () => {
      accepted.length = 0;
      ssh = await login([keys.ed25519]);
    });

    it('to a Unix socket carries bytes both ways, many of them, unchanged', async () => {
      const stream = await ssh.openUnix(socket);
      const sent = randomBytes(8 << 20);
      const got: Buffer[] = [];
      let bytes = 0;
      const all = new Promise<void>((resolve) => {
        stream.on('data', (chunk: Buffer) => {
          got.push(chunk);
          if ((bytes += chunk.length) === sent.length) resolve();
        });
      });
      for (let at = 0; at < sent.length; at += 65_536) {
        if (!stream.write(sent.subarray(at, at + 65_536))) await once(stream, 'drain');
      }
      await all;
      expect(Buffer.concat(got).equals(sent)).toBe(true);
    });

    it('that nobody reads holds the sender back', async () => {
      const stream = await ssh.openUnix(socket);
      let written = 0;
      let stuck = false;
      const block = Buffer.alloc(1 << 20);
      // Nothing is read, so the echo stops reading too, and in the end a write is not taken.
      while (!stuck && written < 64) {
        written += 1;
        if (!stream.write(block)) {
          const drained = once(stream, 'drain').then(() => true);
          const timeout = new Promise<false>((resolve) => setTimeout(() => resolve(false), 500));
          stuck = !(await Promise.race([drained, timeout]));
        }
      }
      expect(stuck).toBe(true);
      stream.destroy();
    });

    it('closes at once when it is destroyed, and the host closes its end', async () => {
      const stream = await ssh.openUnix(socket);
      await vi.waitFor(() => expect(accepted).toHaveLength(1));
      stream.destroy();
      await once(stream, 'close');
      await vi.waitFor(() => expect(accepted[0]?.destroyed).toBe(true));
    });

    it('ends when the host ends it, and a write after that fails', async () => {
      const stream = await ssh.openUnix(socket);
      await vi.waitFor(() => expect(accepted).toHaveLength(1));
      stream.resume();
      const ended = once(stream, 'end');
      const closed = once(stream, 'close');
      accepted[0]?.destroy();
      await ended;
      await closed;
      const error = await new Promise<unknown>((resolve) => {
        stream.on('error', () => undefined);
        stream.write('x', resolve);
      });
      expect(error).toBeInstanceOf(Error);
    });

    it('to a port on the host', async () => {
      const { port } = tcp.address() as { port: number };
      const stream = await ssh.openTcp('127.0.0.1', port);
      expect(String((await once(stream, 'data'))[0])).toBe('hello');
    });

    it('to what is not there is refused in a sentence, and the connection goes on', async () => {
      const error = await refusal(ssh.openUnix('/nowhere/libvirt-sock'));
      expect(error).toMatchObject({ kind: 'channel-refused', phase: 'open' });
      expect(error.message).toContain('kvm1 refused to open the socket /nowhere/libvirt-sock');
      expect((await ssh.run('echo still here')).stdout).toBe('still here\n');
    });

    it('forty of them go over one connection', async () => {
      const streams = await Promise.all(Array.from({ length: 40 }, () => ssh.openUnix(socket)));
      await vi.waitFor(() => expect(accepted).toHaveLength(40));
      for (const stream of streams) stream.destroy();
    });

    it('of a command: more sessions than the host allows are refused in a sentence', async () => {
      const busy = await Promise.all(Array.from({ length: 10 }, () => ssh.exec('cat')));
      const error = await refusal(ssh.exec('cat'));
      expect(error.message).toContain('MaxSessions');
      for (const { stdio } of busy) stdio.destroy();
    });

    it('of a command that takes too long, or says too much, ends', async () => {
      const slow = await refusal(ssh.run('sleep 60', { timeoutMs: 100 }));
      expect(slow.message).toContain('kvm1 did not finish a command within 0.1 s: sleep 60');
      await expect(ssh.run('yes', { maxBytes: 1000 })).rejects.toThrow('said more than was asked for');
    });

    it('of a command that closes its output early still tells how it ended', async () => {
      expect(await ssh.run('echo done; exec >&- 2>&-; sleep 0.3; exit 7')).toEqual({
        stdout: 'done\n',
        stderr: '',
        code: 7,
      });
    });

    it('of a command that is killed tells so', async () => {
      const { exited, stdio } = await ssh.exec('kill -9 $$');
      stdio.resume();
      expect(await exited).toEqual({ code: null, signal: 'SIGKILL' });
    });
  });

  describe('a connection', () => {
    let wire: Wire;
    beforeEach(async () => {
      wire = await wireTo(sshd.host, sshd.port);
      await trust(wire);
    });
    afterEach(() => wire.stop());
    const quick = { keepalive: { intervalMs: 50, count: 3 } };

    it('that we close ends without an error, and frees the socket', async () => {
      const ssh = await login([keys.ed25519], {}, wire);
      const heard = vi.fn();
      ssh.onEnd(heard);
      const undone = vi.fn();
      ssh.onEnd(undone)();
      ssh.close();
      ssh.close();
      expect(await ssh.ended).toBeNull();
      expect(heard).toHaveBeenCalledExactlyOnceWith(null);
      expect(undone).not.toHaveBeenCalled();
      await vi.waitFor(() => expect(wire.connections()).toBe(0));
      expect((await refusal(ssh.run('true'))).message).toContain('The connection to kvm1 is closed');
    });

    it('that breaks off ends its streams and what was waiting, each with the reason', async () => {
      const ssh = await login([keys.ed25519], {}, wire);
      const { stdio, exited } = await ssh.exec('cat');
      const broken = once(stdio, 'error');
      const waiting = refusal(ssh.run('sleep 60'));
      wire.cut();
      const ended = await ssh.ended;
      expect(ended).toMatchObject({ kind: 'lost', phase: 'established' });
      expect(ended?.message).toContain('kvm1');
      expect((await broken)[0]).toBe(ended);
      expect(await waiting).toBe(ended);
      expect(await exited).toEqual({ code: null, signal: null });
      expect(await refusal(ssh.openUnix('/x'))).toBe(ended);
    });

    it('that ends is told to a stream that nobody reads, too', async () => {
      const ssh = await login([keys.ed25519], {}, wire);
      const { stdio } = await ssh.exec('head -c 1000000 /dev/zero');
      await vi.waitFor(() => expect(stdio.readableLength).toBeGreaterThan(0));
      const waiting = refusal(ssh.run('sleep 60'));
      const closed = once(stdio, 'close');
      ssh.close();
      await closed;
      expect((await waiting).message).toContain('The connection to kvm1 is closed');
    });

    it('over a pulled cable is told silent, then lost', async () => {
      const ssh = await login([keys.ed25519], quick, wire);
      const silent = vi.fn();
      ssh.on('silent', silent);
      wire.pull();
      const ended = await ssh.ended;
      expect(ended?.message).toContain('kvm1 has not answered for 0.15 s');
      expect(silent).toHaveBeenCalledTimes(1);
    });

    it('stays while the host answers, though nothing is going on', async () => {
      const ssh = await login([keys.ed25519], quick, wire);
      const silent = vi.fn();
      ssh.on('silent', silent);
      const before = wire.answers();
      await vi.waitFor(() => expect(wire.answers()).toBeGreaterThan(before + 6), 5000); // to so many pings
      expect(silent).not.toHaveBeenCalled();
      expect((await ssh.run('echo here')).stdout).toBe('here\n');
    });

    it('that is held waits a pulled cable out, and goes on where it was', async () => {
      const ssh = await login([keys.ed25519], quick, wire);
      const events: string[] = [];
      ssh.on('silent', () => events.push('silent'));
      ssh.on('heard', () => events.push('heard'));
      const release = ssh.hold();
      const { stdio } = await ssh.exec('cat');
      wire.pull();
      await vi.waitFor(() => expect(events).toEqual(['silent']));
      await new Promise((resolve) => setTimeout(resolve, 500)); // for longer than silence is put up with
      stdio.write('after all');
      wire.plug();
      expect(String((await once(stdio, 'data'))[0])).toBe('after all');
      await vi.waitFor(() => expect(events).toEqual(['silent', 'heard']));
      release();
      expect((await ssh.run('echo here')).stdout).toBe('here\n');
    });

    it('keeps the host it began with: keys are exchanged anew, and bytes go on', async () => {
      const often = await startSshd({ authorized: [`${keys.ed25519}.pub`], lines: ['RekeyLimit 1M'] });
      await trust(often, often.hostKeys[0]);
      const ssh = await login([keys.ed25519], {}, often);
      const { stdout } = await ssh.run('head -c 8000000 /dev/zero | tr "\\0" x', {
        maxBytes: 1 << 24,
        timeoutMs: 15_000,
      });
      expect(stdout).toBe('x'.repeat(8_000_000));
      ssh.close();
      await often.stop();
    });

    it('whose server is stopped under it is lost', async () => {
      const own = await startSshd({ authorized: [`${keys.ed25519}.pub`] });
      await trust(own, own.hostKeys[0]);
      const ssh = await login([keys.ed25519], {}, own);
      // The process that serves us: the one that our own shell is a child of.
      const { exited, stdio } = await ssh.exec('kill -9 $PPID');
      stdio.on('error', () => undefined);
      await exited;
      expect((await ssh.ended)?.kind).toBe('lost');
      await own.stop();
    });
  });

  it('a login by a plain key costs no more steps than it needs', async () => {
    const host = await startSshd({
      authorized: [`${keys.ed25519}.pub`, `${keys.rsa}.pub`],
      lines: ['LogLevel DEBUG3'],
    });
    try {
      await trust(host, host.hostKeys[0]);
      const steps = async (key: string) => {
        const before = host.log().length;
        const ssh = await login([key], {}, host);
        await ssh.run('true');
        const log = host.log().slice(before);
        expect(log).toContain('Accepted publickey');
        expect(log).not.toContain('hostkeys-prove');
        return log.match(/Postponed publickey/g)?.length ?? 0;
      };
      expect(await steps(keys.ed25519)).toBe(0);
      expect(await steps(keys.rsa)).toBe(1); // dear to sign with, so it asks first
    } finally {
      await host.stop();
    }
  });

  it('leaves no secret in the host’s log', () => {
    expect(readFileSync(keys.ed25519, 'utf8')).toContain('PRIVATE KEY');
    expect(sshd.log()).not.toContain('open sesame');
  });
});
