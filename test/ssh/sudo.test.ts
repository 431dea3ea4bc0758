// What sudo says, and what is sent to it, on a made-up host.
import { PassThrough } from 'node:stream';
import { expect, it, vi } from 'vitest';
import type { ExecOptions } from '../../src-main/ssh/connection.ts';
import type { HostKeyStatus, SshConnection, SshExec } from '../../src-main/ssh/index.ts';
import { SecretCache, Sudo } from '../../src-main/ssh/index.ts';
import { helperScript } from '../../src-main/ssh/scripts.ts';
import { refusal } from '../../src-main/ssh/sudo.ts';

it.each([
  ['', null],
  ['error: failed to connect to the hypervisor', null],
  ['sudo: a password is required', 'password'],
  ['drover:passwordSorry, try again.\ndrover:password\nsudo: no password was provided', 'password'],
  ['Sorry, user ops may not run sudo on kvm3.', 'denied'],
  ["Sorry, user ops is not allowed to execute '/usr/bin/nc -U x' as root on kvm3.", 'denied'],
  ['drover:passwordops is not in the sudoers file.', 'denied'],
  ['sudo: sorry, you must have a tty to run sudo', 'terminal'],
  ['drover:no-sudo', 'no-sudo'],
  ['sudo: unable to open audit system: Permission denied', 'other'],
])('%j is %j', (said, what) => expect(refusal(said)).toBe(what));

/** A host whose sudo wants `password`; what it was sent. */
function host(password: string | null, status: HostKeyStatus = 'trusted') {
  const sent: string[] = [];
  const commands: string[] = [];
  const ssh = {
    user: 'ops',
    label: 'kvm3',
    login: 'ops@kvm3:22',
    hostKey: { status },
    exec: (command: string, { heard }: ExecOptions = {}): Promise<SshExec> => {
      commands.push(command);
      let stderr = '';
      const say = (words: string) => {
        stderr += words;
        heard?.(stderr);
      };
      const stdio = new PassThrough();
      let leave!: (code: number) => void;
      const exited = new Promise<number>((resolve) => (leave = resolve));
      if (password === null) stdio.on('finish', () => leave(0));
      else if (command.includes(' -n ')) {
        say('sudo: a password is required\n');
        leave(1);
      } else {
        setImmediate(() => say('drover:password'));
        stdio.on('data', (chunk: Buffer) => {
          sent.push(chunk.toString());
          if (chunk.toString() === `${password}\n`) return;
          say('Sorry, try again.\ndrover:passwordsudo: no password was provided\n');
          leave(1);
        });
        stdio.on('finish', () => leave(0));
      }
      return Promise.resolve({ stdio, stderr: () => stderr, exited: exited.then((code) => ({ code, signal: null })) });
    },
  };
  const change = (to: string) => void (password = to);
  return { ssh: ssh as unknown as SshConnection, sent, commands, change };
}

const helper = {
  name: 'virt-ssh-helper',
  script: (as: string) => helperScript('qemu:///system', false, as),
};

it('the login’s password is tried before one is asked for, and what was right is known from then on', async () => {
  const { ssh, sent, commands } = host('right');
  const secrets = new SecretCache();
  secrets.rememberPassword('ops@kvm3:22', 'of the login');
  const asked: boolean[] = [];
  const prompts = {
    ask: ({ again }: { again: boolean }) => {
      asked.push(again);
      return Promise.resolve(['right']);
    },
  };
  const sudo = () => new Sudo(ssh, { prompts, secrets, signal: AbortSignal.timeout(60_000) });
  const once = sudo();
  await Promise.all([once.start(helper, {}), once.start(helper, {})]);
  expect(asked).toEqual([false]);
  expect(sent).toEqual(['of the login\n', 'right\n', 'right\n', 'right\n']);
  await sudo().start(helper, {});
  expect(asked).toEqual([false]);
  for (const command of commands) expect(command).not.toMatch(/right|of the login/);
  expect(secrets.password('ops@kvm3:22')).toBe('of the login');
});

it('after three wrong answers it is over', async () => {
  const { ssh, sent } = host('right');
  const prompts = { ask: () => Promise.resolve(['wrong']) };
  const sudo = new Sudo(ssh, { prompts, secrets: new SecretCache(), signal: AbortSignal.timeout(60_000) });
  await expect(sudo.start(helper, {})).rejects.toMatchObject({ kind: 'auth-failed' });
  expect(sent).toEqual(['wrong\n', 'wrong\n', 'wrong\n']);
});

it('a password that is not right any more is sent once more, and not again', async () => {
  const { ssh, sent, change } = host('right');
  const secrets = new SecretCache();
  const answers = ['right', 'new'];
  const prompts = { ask: () => Promise.resolve([answers.shift() ?? '']) };
  const sudo = new Sudo(ssh, { prompts, secrets, signal: AbortSignal.timeout(60_000) });
  await sudo.start(helper, {});
  change('new');
  const refused = await sudo.start(helper, {});
  await vi.waitFor(() => expect(refused.stdio.destroyed).toBe(true));
  await sudo.start(helper, {});
  expect(sent).toEqual(['right\n', 'right\n', 'right\n', 'new\n', 'new\n']);
});

it('a host whose key has changed is sent no password, though any key is taken there', async () => {
  const { ssh, sent } = host('right', 'changed');
  const prompts = { ask: () => Promise.resolve(['right']) };
  const sudo = new Sudo(ssh, { prompts, secrets: new SecretCache(), signal: AbortSignal.timeout(60_000) });
  await expect(sudo.start(helper, {})).rejects.toMatchObject({ kind: 'no-permission' });
  expect(sent).toEqual([]);
});

it('a sudo that asks for nothing is sent nothing', async () => {
  const { ssh, sent, commands } = host(null);
  const sudo = new Sudo(ssh, { prompts: null, secrets: new SecretCache(), signal: AbortSignal.timeout(60_000) });
  await sudo.start(helper, {});
  expect(sent).toEqual([]);
  expect(commands).toHaveLength(2);
});
