// The commands that the documentation tells people to type, run as they are written, on simulated hosts of those names.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { top } from '../../build/docs/sentences.ts';
import { SimFleet } from '../../src-sim/index.ts';
import { folder, Program } from '../cli/program.ts';

vi.setConfig({ testTimeout: 240_000 });

let program: Program;
beforeAll(async () => (program = await Program.build()));
afterAll(() => program.remove());

/** What belongs to the machine that reads it, or goes on until it is stopped; other tests look after these. */
const notHere = /^(npm|git|cd|node|sudo|podman|ssh|sha256sum|journalctl|curl|echo "DROVER_TOKEN)\b|\bdrover serve\b/;
/** What a page can only say by example. */
const examples: [written: string, here: string][] = [
  ['192.168.1.0/24', '127.0.0.1'],
  ["--url 'https://drover.example.org/' --token-file ~/.drover-token", ''],
  ['man -l -', 'cat'], // whose pager waits for keys
  ['drover completion zsh > "${fpath[1]}/_drover"', 'drover completion zsh > _drover'], // zsh’s own variable
];

/** The lines of a page's shell blocks, in order, without those that belong elsewhere. */
function script(page: string): string {
  const text = readFileSync(join(top, page), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, block = '']) => block.replaceAll('\\\n', ''));
  const lines = blocks.flatMap((block) => block.split('\n')).filter((line) => !notHere.test(line.replace(/^npx /, '')));
  return examples.reduce((said, [written, here]) => said.replaceAll(written, here), lines.join('\n'));
}

/** Three hosts, known to ssh by the names that the pages use, and to nobody else. */
async function home(): Promise<NodeJS.ProcessEnv> {
  const sim = await SimFleet.start({
    seed: 'docs',
    speed: 20,
    hosts: ['kvm1', 'kvm2', 'kvm3'].map((name) => ({ name })),
    domains: [
      { name: 'web01', host: 'kvm1', memoryMiB: 256 },
      { name: 'db01', host: 'kvm1', memoryMiB: 256 },
    ],
  });
  ends.push(() => sim.close());
  const path = folder();
  const { keyFile, knownHosts } = await sim.writeFiles(join(path, '.ssh'));
  const config = sim.hosts.map(
    ({ name, address, port }) =>
      `Host ${name}\n  HostName ${address}\n  Port ${port}\n  IdentityFile ${keyFile}\n  UserKnownHostsFile ${knownHosts}\n`,
  );
  writeFileSync(join(path, '.ssh/config'), config.join(''), { mode: 0o600 });
  const bin = join(path, 'bin');
  mkdirSync(bin);
  const main = join(program.path, 'main.js');
  const shim = (name: string, text: string) => {
    writeFileSync(join(bin, name), `#!/bin/bash\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  // A console is looked at on a terminal, and left by Ctrl+].
  shim(
    'drover',
    `if [ "$1" = console ]; then printf '\\x1d' | script -qefc "'${process.execPath}' '${main}' $*" /dev/null
     else exec '${process.execPath}' '${main}' "$@"; fi`,
  );
  shim('npx', '[ "$1" = drover ] && shift && exec drover "$@"; echo "npx $*: not here" >&2; exit 9');
  return { HOME: path, XDG_DATA_HOME: join(path, 'share'), PATH: `${bin}:${process.env['PATH']}`, TERM: 'xterm' };
}

const ends: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(ends.map((end) => end())));

function bash(text: string, env: NodeJS.ProcessEnv): Promise<{ code: number | null; said: string }> {
  const child = spawn('bash', ['-eu', '-o', 'pipefail', '-c', `cd ~\n${text}`], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, said })));
}

const bothHosts = 'drover add qemu+ssh://root@kvm1/system\ndrover add qemu+ssh://root@kvm2/system\n';

describe.runIf(process.platform === 'linux')('as written, in one go, run the commands of', () => {
  it.each([
    ['README.md', /web01 +kvm2/],
    ['docs/guide/command-line.md', /web01 +kvm2/],
    ['docs/guide/first-steps.md', /web01 +kvm1/],
    ['docs/guide/migrate.md', /web01/],
    ['docs/guide/install.md', /drover COMMAND/],
  ])('%s', async (page, shows) => {
    // The page about migrating is for who has hosts already.
    const text = `${page.endsWith('migrate.md') ? bothHosts : ''}${script(page)}`;
    expect(text).toMatch(/drover \w/);
    const { code, said } = await bash(text, await home());
    expect(said).toMatch(shows);
    expect(code, said).toBe(0);
  });
});
