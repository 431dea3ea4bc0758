import { execFileSync, spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { carryScript, helperScript, netcatScript, quoted, shell } from '../../src-main/ssh/scripts.ts';

it.each(['plain', 'with space', "it's", '$(reboot)', '`id`', '"', '\\', "'; rm -rf /; '", '*', ''])(
  'the word %j reaches the host as it is',
  (word) => {
    expect(execFileSync('sh', ['-c', shell(`printf %s ${quoted(word)}`)], { encoding: 'utf8' })).toBe(word);
  },
);

const fish = spawnSync('fish', ['--version']).status === 0;
it.skipIf(!fish).each(["it's", "a'; echo bad; '", 'ends with \\', "\\'", 'wow!', '$(reboot)'])(
  'the word %j reaches a host whose login shell is fish',
  (word) => {
    const said = execFileSync('fish', ['-c', shell(`printf %s ${quoted(word)}`)], { encoding: 'utf8' });
    expect(said).toBe(word);
  },
);

it.each([
  [{ path: '/run/vm one/vnc.sock' }, true],
  [{ host: '127.0.0.1', port: 5900 }, true],
  [{ host: 'fd00::1', port: 5900 }, true],
  [{ host: '-le/bin/sh', port: 5900 }, false],
  [{ path: 'vnc.sock' }, false],
  [{ path: '/a\nb' }, false],
])('netcat is begun for %j: %s', (place, begun) => {
  expect(carryScript(place) !== null).toBe(begun);
});

it('socat is not begun for a path that says more to it than where', () => {
  expect(carryScript({ path: '/run/vnc.sock' })).toContain('socat');
  expect(carryScript({ path: '/run/x!!SYSTEM:touch bad' })).not.toContain('socat');
  expect(carryScript({ path: '/run/x,bind=/y' })).not.toContain('socat');
});

it('a program that is not installed ends with 127 and no greeting', () => {
  for (const script of [helperScript('qemu:///system', false), netcatScript(['/run/libvirt/libvirt-sock'])]) {
    const { status, stdout } = spawnSync('/bin/sh', ['-c', script], { env: { PATH: '/nowhere' }, encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 127, stdout: '' });
  }
});

it('netcat does not begin where there is no socket', () => {
  const { status, stdout } = spawnSync('sh', ['-c', netcatScript(["'/nowhere/a'", "'/nowhere/b'"])], {
    encoding: 'utf8',
  });
  expect(stdout).toBe('');
  expect(status).not.toBe(0);
});
