// A host that breaks the rules of SSH on purpose fills neither memory nor the log.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connectSsh, KnownHosts } from '../../src-main/ssh/index.ts';
import { person, sshPeer } from './peers.ts';

it('a stream that is not read ends the connection when the host sends more than its window', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-hostile-'));
  let sent = 0;
  const peer = await sshPeer(undefined, {
    connected: (client) =>
      client.on('session', (accept) =>
        accept().on('exec', (acceptExec) => {
          const channel = acceptExec();
          (channel as unknown as { outgoing: { window: number } }).outgoing.window = Infinity;
          const chunk = Buffer.alloc(10_001); // ssh2 only stops at a window that is used up to the byte
          const more = () => {
            if (channel.destroyed || sent > 256 << 20) return;
            sent += chunk.length;
            channel.write(chunk);
            setImmediate(more);
          };
          channel.on('error', () => undefined);
          more();
        }),
      ),
  });
  const knownHosts = new KnownHosts({ own: join(folder, 'own'), user: [], system: [] });
  await knownHosts.pin(peer.host, peer.port, peer.key);
  const target = { host: peer.host, port: peer.port, user: 'ada', label: 'kvm1', keyFiles: [] };
  const ssh = await connectSsh({ target, knownHosts, prompts: person('x'), agent: null, home: folder });
  const { stdio } = await ssh.exec('pour');
  const error = await ssh.ended;
  expect(error?.message).toContain('kvm1 sent more than it may before it was read');
  expect(stdio.destroyed).toBe(true);
  expect(sent).toBeLessThan(64 << 20);
  await peer.stop();
  rmSync(folder, { recursive: true, force: true });
});
