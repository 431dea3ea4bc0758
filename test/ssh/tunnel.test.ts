// Which way to libvirt is taken where the SSH server runs what it wants, or runs it late.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { connectSsh, KnownHosts, openLibvirt } from '../../src-main/ssh/index.ts';
import { keygen, sshdIsHere, startSshd } from './sshd.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-tunnel-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const wish = { uri: 'qemu:///session' };

/** A login to a server that runs this, whatever it is asked for. */
async function login(forced: string) {
  const name = mkdtempSync(join(folder, 'login-'));
  const script = join(name, 'forced');
  writeFileSync(script, `#!/bin/sh\n${forced}\n`, { mode: 0o755 });
  const key = keygen(join(name, 'id'), 'ed25519');
  const sshd = await startSshd({
    hostKeyTypes: ['ed25519'],
    authorized: [`${key}.pub`],
    lines: [`ForceCommand ${script}`, 'AllowStreamLocalForwarding no'],
  });
  onTestFinished(() => sshd.stop());
  const ssh = await connectSsh({
    target: { host: sshd.host, port: sshd.port, user: 'root', label: 'kvm1', keyFiles: [key], noVerify: true },
    knownHosts: new KnownHosts({ own: join(name, 'known_hosts'), user: [], system: [] }),
    prompts: null,
    agent: null,
    home: name,
  });
  onTestFinished(() => ssh.close());
  return ssh;
}

it.skipIf(!sshdIsHere)('where a shell takes long to begin, a missing helper is passed over as elsewhere', async () => {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const program of ['sh', 'grep', 'nc']) symlinkSync(`/bin/${program}`, join(bin, program));
  mkdirSync(join(folder, 'libvirt'));
  const daemon = createServer((socket) => socket.pipe(socket)).listen(join(folder, 'libvirt/virtqemud-sock'));
  onTestFinished(() => void daemon.close());
  await once(daemon, 'listening');
  const ssh = await login(
    `sleep 3.5\nexport PATH=${bin} XDG_RUNTIME_DIR=${folder}\nexec sh -c "$SSH_ORIGINAL_COMMAND"`,
  );
  const { how, duplex } = await openLibvirt(ssh, wish);
  expect(how).toBe('netcat');
  duplex.write('there');
  expect(String((await once(duplex, 'data'))[0])).toBe('there');
  duplex.destroy();
});

it.skipIf(!sshdIsHere)('where the helper is what is run, it is spoken to', async () => {
  // As the helper, it waits to be spoken to; and what libvirt says begins with a zero.
  const ssh = await login('IFS= read -r word || exit 0\nprintf "\\\\000%s" "$word"\nexec cat');
  const { how, duplex } = await openLibvirt(ssh, wish);
  expect(how).toBe('virt-ssh-helper');
  duplex.write('hello\n');
  expect(String((await once(duplex, 'data'))[0])).toBe('\0hello');
  duplex.destroy();
});
