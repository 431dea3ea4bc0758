// An agent that has its owner confirm each use (`ssh-add -c`) is used once a host, whatever is opened there.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectSsh, KnownHosts } from '../../src-main/ssh/index.ts';
import { keygen, sshdIsHere, startSshd, type Sshd } from './sshd.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-agent-test-'));
const at = (name: string) => join(folder, name);
/** What an agent is asked to sign with a key. */
const signRequest = 13;

describe.skipIf(!sshdIsHere)('an agent', () => {
  let sshd: Sshd;
  let agent: number;
  let uses = 0;
  /** Between Drover and the agent: counts. */
  const counter = createServer((near) => {
    const far = connect(at('agent'));
    let held = Buffer.alloc(0);
    near.on('data', (chunk: Buffer) => {
      // A message may come in pieces: ssh sends its length first.
      held = Buffer.concat([held, chunk]);
      while (held.length > 4 && held.length >= 4 + held.readUInt32BE(0)) {
        if (held[4] === signRequest) uses += 1;
        held = held.subarray(4 + held.readUInt32BE(0));
      }
    });
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => undefined);
  });

  beforeAll(async () => {
    const { stdout } = spawnSync('ssh-agent', ['-a', at('agent')], { encoding: 'utf8' });
    agent = Number(/SSH_AGENT_PID=(\d+)/.exec(stdout)?.[1]);
    for (const name of ['other', 'id']) {
      keygen(at(name), 'ed25519');
      execFileSync('ssh-add', ['-q', at(name)], { env: { ...process.env, SSH_AUTH_SOCK: at('agent') } });
    }
    sshd = await startSshd({ authorized: [`${at('id')}.pub`] });
    counter.listen(at('counted'));
    await once(counter, 'listening');
  }, 30_000);
  afterAll(async () => {
    counter.close();
    process.kill(agent);
    await sshd.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ['Drover’s own SSH', false],
    ['the system’s ssh', true],
  ])('signs once a host, by %s', async (_way, system) => {
    uses = 0;
    const knownHosts = new KnownHosts({ own: at('known_hosts'), user: [], system: [] });
    const { host, port } = sshd;
    await knownHosts.pin(host, port, Buffer.from(sshd.hostKeys[0]!.split(' ')[1]!, 'base64'));
    const ssh = await connectSsh({
      target: { host, port, user: 'root', label: 'kvm1', system },
      knownHosts,
      prompts: null,
      agent: at('counted'),
      home: folder,
    });
    await Promise.all(Array.from({ length: 5 }, () => ssh.run('true')));
    expect(uses).toBe(1);
    ssh.close();
    await ssh.ended;
  });
});
