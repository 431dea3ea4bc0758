// What is tried from the source is made into a shell's words: only addresses and names are.
import { expect, it } from 'vitest';
import type { Host } from '../../src-main/fleet/host.ts';
import { checkPath, hostIn } from '../../src-main/migration/preflight/path.ts';

const host = (label: string, ran: string[]) =>
  ({
    label,
    info: { hostname: label },
    shell: async (command: string) => {
      ran.push(command);
      return { stdout: '', code: 0 };
    },
  }) as unknown as Host;

it.each(['tcp://10.0.0.2', 'tcp:kvm2', 'tcp://kvm2.example:49160', 'tcp://[fe80::1]:49152/'])(
  '%s is tried',
  async (uri) => {
    const ran: string[] = [];
    const [path] = await checkPath(host('kvm1', ran), host('kvm2', ran), uri);
    expect(path).toMatchObject({ id: 'path', level: 'ok' });
    expect(ran).toHaveLength(1);
  },
);

it.each(['tcp://$(reboot)', 'tcp://a`reboot`', 'tcp://a;reboot', 'tcp://a b'])(
  '%s never gets to a shell',
  async (uri) => {
    const ran: string[] = [];
    const [path] = await checkPath(host('kvm1', ran), host('kvm2', ran), uri);
    expect(path).toMatchObject({ id: 'path', level: 'warn' });
    expect(ran).toEqual([]);
    expect(hostIn(uri)).toBeNull();
  },
);

it('a way that libvirt does not know is an error', async () => {
  const [path] = await checkPath(host('kvm1', []), host('kvm2', []), 'udp://10.0.0.2');
  expect(path).toMatchObject({ id: 'path', level: 'error' });
});
