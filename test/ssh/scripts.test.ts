import { execFileSync, spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { helperScript, netcatScript, quoted, shell } from '../../src-main/ssh/scripts.ts';

it.each(['plain', 'with space', "it's", '$(reboot)', '`id`', '"', '\\', "'; rm -rf /; '", '*', ''])(
  'the word %j reaches the host as it is',
  (word) => {
    expect(execFileSync('sh', ['-c', shell(`printf %s ${quoted(word)}`)], { encoding: 'utf8' })).toBe(word);
  },
);

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
