import { describe, expect, it } from 'vitest';
import { asPipe, systemAgent, systemFile } from '../../src-main/ssh/places.ts';

describe('the agent', () => {
  const linux = { platform: 'linux', user: 'ana', pipes: () => expect.fail('there are no pipes') } as const;
  const windows = (pipes: string[], env = {}) =>
    systemAgent({ platform: 'win32', user: 'Ana', env, pipes: () => pipes });

  it('is what SSH_AUTH_SOCK names', () => {
    expect(systemAgent({ ...linux, env: { SSH_AUTH_SOCK: '/run/a' } })).toBe('/run/a');
    expect(systemAgent({ ...linux, env: { SSH_AUTH_SOCK: '' } })).toBeNull();
    expect(systemAgent({ ...linux, env: {} })).toBeNull();
  });

  it('on Windows is OpenSSH’s pipe, else Pageant’s of the same user', () => {
    const pageant = 'pageant.ana.0f3c';
    expect(windows(['wkssvc', pageant, 'openssh-ssh-agent'])).toBe('\\\\.\\pipe\\openssh-ssh-agent');
    expect(windows(['pageant.anabel.11', 'pageant.bob.22', pageant])).toBe(`\\\\.\\pipe\\${pageant}`);
    expect(windows(['pageant.bob.22'])).toBeNull();
  });

  it('on Windows is a pipe that SSH_AUTH_SOCK names, but no socket of another system’s ssh', () => {
    const pipes = ['openssh-ssh-agent'];
    for (const named of ['\\\\.\\pipe\\mine', '//./pipe/mine']) {
      expect(windows(pipes, { SSH_AUTH_SOCK: named })).toBe('\\\\.\\pipe\\mine');
    }
    expect(windows(pipes, { SSH_AUTH_SOCK: '/tmp/ssh-x/agent.1' })).toBe('\\\\.\\pipe\\openssh-ssh-agent');
  });

  it('on Windows is the pipe that a configuration names, however its slashes are written', () => {
    // The second is what ssh's rules for backslashes make of the first.
    for (const named of ['\\\\.\\pipe\\pageant.ana.1', '\\.\\pipe\\pageant.ana.1', '//./pipe/pageant.ana.1']) {
      expect(asPipe(named, 'win32')).toBe('\\\\.\\pipe\\pageant.ana.1');
    }
    expect(asPipe('C:\\Users\\ana\\agent.sock', 'win32')).toBe('C:\\Users\\ana\\agent.sock');
    expect(asPipe('//./pipe/a', 'linux')).toBe('//./pipe/a');
  });
});

it('files of the machine are where OpenSSH has them on each system', () => {
  expect(systemFile('ssh_config', { platform: 'darwin', env: {} })).toBe('/etc/ssh/ssh_config');
  const windows = { platform: 'win32', env: { ProgramData: 'D:\\Data' } } as const;
  expect(systemFile('ssh_known_hosts', windows)).toBe('D:\\Data\\ssh\\ssh_known_hosts');
  expect(systemFile('ssh_config', { platform: 'win32', env: {} })).toBe('C:\\ProgramData\\ssh\\ssh_config');
});
