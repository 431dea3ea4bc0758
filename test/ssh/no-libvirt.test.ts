import { expect, it } from 'vitest';
import { explain, readProbe } from '../../src-main/ssh/no-libvirt.ts';

const said = (...lines: string[]) => explain(readProbe(lines.join('\n')), 'kvm1', 'ada');

it.each([
  [
    'a socket of a group that the user is not in',
    [
      'drover:shut srw-rw---- 1 root libvirt 0 Nov 22 15:00 /run/libvirt/libvirt-sock',
      'drover:has libvirtd',
      'drover:groups ada users',
    ],
    'no-permission',
    'ada may not use libvirt on kvm1: /run/libvirt/libvirt-sock belongs to group libvirt, and ada is in ada, users. Add it to that group (usermod -aG libvirt ada), then connect again.',
  ],
  [
    'a socket of root alone',
    ['drover:shut srwx------ 1 root root 0 Nov 22 15:00 /run/libvirt/libvirt-sock', 'drover:groups ada'],
    'no-permission',
    'belongs to user root, and ada is in ada. Log in as root',
  ],
  [
    'a socket of the group root, which nobody is put into',
    ['drover:shut srwxrwx--- 1 root root 0 Nov 22 15:00 /run/libvirt/libvirt-sock', 'drover:groups ada'],
    'no-permission',
    'belongs to user root',
  ],
  ['nothing at all', ['drover:groups ada'], 'no-libvirt', 'There is no libvirt on kvm1'],
  [
    'a daemon that does not run',
    ['drover:has virtqemud', 'drover:groups ada'],
    'no-libvirt',
    'enable --now virtqemud.socket',
  ],
  [
    'a server that forwards nothing, and no program to help',
    ['drover:open /run/libvirt/libvirt-sock', 'drover:has libvirtd', 'drover:groups ada'],
    'no-libvirt',
    'none of virt-ssh-helper, nc and socat is installed',
  ],
  [
    'a socket that nobody answers',
    ['drover:open /run/libvirt/libvirt-sock', 'drover:has libvirtd', 'drover:has nc', 'drover:groups ada'],
    'no-libvirt',
    'Is its daemon running? (systemctl status libvirtd)',
  ],
  ['a forced command', ['Welcome! This account is for backups only.'], 'no-libvirt', 'forced command'],
])('%s is explained', (_what, lines, kind, sentence) => {
  const error = said('Last login: yesterday', ...lines);
  expect(error.kind).toBe(kind);
  expect(error.message).toContain(sentence);
});

it('what was printed instead of an answer is told', () => {
  const { message } = explain(readProbe(''), 'kvm1', 'ada', 'WARNING: Your password has expired.\r\n\u001b[31m');
  expect(message).toContain('it said “WARNING: Your password has expired.');
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  expect(message).not.toMatch(/[\u0000-\u001f]/);
});

it('what a host says cannot break out of the sentence', () => {
  const { message } = said(
    'drover:shut srw-rw---- 1 root lib\u001b[31m\u202evirt 0 x /run/s\u0007ock',
    'drover:groups \u0000',
  );
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  expect(message).not.toMatch(/[\u0000-\u001f\u202e]/);
});
