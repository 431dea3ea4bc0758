import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { carryScript, helperScript, netcatScript, quoted, shell } from '../../src-main/ssh/scripts.ts';

const sh = process.platform !== 'win32'; // what hosts have
it.skipIf(!sh).each(['plain', 'with space', "it's", '$(reboot)', '`id`', '"', '\\', "'; rm -rf /; '", '*', ''])(
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

it.skipIf(!sh).each(['/run/x!!SYSTEM:touch bad', '/run/x,bind=/y', '/run/$(reboot)', "/run/it's"])(
  'socat is not begun for %j, which says more to it than where',
  (path) => {
    const bin = mkdtempSync(join(tmpdir(), 'drover-socat-'));
    writeFileSync(join(bin, 'socat'), '#!/bin/sh\necho begun\n', { mode: 0o755 });
    const run = (script: string | null) =>
      spawnSync('/bin/sh', ['-c', script ?? ''], { env: { PATH: bin }, encoding: 'utf8' });
    expect(run(carryScript({ path })).stdout).toBe('');
    expect(run(carryScript({ path: '/run/vnc.sock' })).stdout).toBe('drover:begin\nbegun\n');
    rmSync(bin, { recursive: true });
  },
);

it.skipIf(!sh)('a program that is not installed ends with 127 and no greeting', () => {
  for (const script of [helperScript('qemu:///system', false), netcatScript(['/run/libvirt/libvirt-sock'])]) {
    const { status, stdout } = spawnSync('/bin/sh', ['-c', script], { env: { PATH: '/nowhere' }, encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 127, stdout: '' });
  }
});

describe.skipIf(!sh)('to a socket', () => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-scripts-'));
  const socket = join(folder, 's');
  const server = createServer();
  beforeAll(() => new Promise<void>((resolve) => server.listen(socket, resolve)));
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  /** Programs that say what they are told, and nothing else but the shell's. */
  const path = (...programs: [string, string][]) => {
    const bin = mkdtempSync(join(folder, 'bin-'));
    for (const [name, help] of programs) {
      const text = `#!/bin/sh\nif test "$1" = -h; then printf '${help}'; else echo ${name} "$@"; fi\n`;
      writeFileSync(join(bin, name), text, { mode: 0o755 });
    }
    symlinkSync('/bin/grep', join(bin, 'grep'));
    return bin;
  };
  const openbsd: [string, string] = ['nc', '\\t-q secs\\n\\t-U\\t\\tUse UNIX domain socket\\n'];
  const ncat: [string, string] = ['nc', '  -U, --unixsock  Use Unix domain sockets only\\n'];
  const traditional: [string, string] = ['nc', '\\t-q secs\\n\\t-u UDP mode\\n'];
  const socat: [string, string] = ['socat', ''];

  it.each([
    ['OpenBSD’s netcat', [openbsd, socat], `nc -q0 -U ${socket}`],
    ['ncat', [ncat, socat], `nc -U ${socket}`],
    ['socat, where netcat knows no sockets', [traditional, socat], `socat - UNIX-CONNECT:${socket}`],
    ['socat, where there is no netcat', [socat], `socat - UNIX-CONNECT:${socket}`],
    ['a netcat that does not say what it knows', [traditional], `nc -q0 -U ${socket}`],
  ])('%s is begun', (_name, programs, words) => {
    const env = { PATH: path(...programs) };
    for (const script of [netcatScript([`'${socket}'`]), carryScript({ path: socket })!]) {
      const { stdout } = spawnSync('/bin/sh', ['-c', script], { env, encoding: 'utf8' });
      expect(stdout).toBe(`drover:begin\n${words}\n`);
    }
  });
});

it.skipIf(!sh)('netcat does not begin where there is no socket', () => {
  const { status, stdout } = spawnSync('sh', ['-c', netcatScript(["'/nowhere/a'", "'/nowhere/b'"])], {
    encoding: 'utf8',
  });
  expect(stdout).toBe('');
  expect(status).not.toBe(0);
});
