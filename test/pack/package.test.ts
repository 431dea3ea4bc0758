// The packages, built as they are shipped but for Electron's own program, which a stub stands in for: what is in them,
// what is not, and that it runs.
import { createHash } from 'node:crypto';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { extractAll, getRawHeader, listPackage } from '@electron/asar';
import { build as pack, Platform } from 'electron-builder';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { buildMain, buildWindow } from '../../build/build.mjs';

const top = resolve(import.meta.dirname, '..', '..');
const about = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as {
  version: string;
  devDependencies: Record<string, string>;
};

/** What Electron's program has in it, so that its switches can be found and set: then version, count, and each one off. */
const wire = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';
const fuses = [
  'runAsNode',
  'cookieEncryption',
  'nodeOptions',
  'nodeCliInspect',
  'asarIntegrity',
  'onlyAsar',
  'browserSnapshot',
  'fileProtocol',
  'wasmTrapHandlers',
] as const;

let folder: string;
let app: string;
let asar: string;

/** As much of Electron's folder as packing looks at. */
function stub(at: string): void {
  mkdirSync(join(at, 'locales'), { recursive: true });
  mkdirSync(join(at, 'resources'));
  const program = Buffer.concat([
    Buffer.from(`not Electron\n${wire}`, 'latin1'),
    Buffer.from([1, fuses.length]),
    Buffer.from('0'.repeat(fuses.length), 'latin1'),
    Buffer.from('\nthe end\n'),
  ]);
  writeFileSync(join(at, 'electron'), program, { mode: 0o755 });
  writeFileSync(join(at, 'version'), about.devDependencies['electron'] ?? '');
  for (const name of ['LICENSE', 'LICENSES.chromium.html', 'chrome-sandbox', 'resources.pak'])
    writeFileSync(join(at, name), name);
  for (const name of ['de', 'en-US']) writeFileSync(join(at, 'locales', `${name}.pak`), name);
}

/** A package for Linux, with its programs’ rights, is made on systems that have such rights. */
const canPack = process.platform !== 'win32';

beforeAll(async () => {
  if (!canPack) return;
  mkdirSync(join(top, '.cache'), { recursive: true });
  folder = mkdtempSync(join(top, '.cache', 'pack-'));
  for (const name of ['package.json', 'electron-builder.yml', 'LICENSE', 'README.md', 'assets', 'bin'])
    cpSync(join(top, name), join(folder, name), { recursive: true });
  await Promise.all([buildMain(join(folder, 'dist', 'main')), buildWindow(join(folder, 'dist', 'window'))]);
  writeFileSync(join(folder, '.env'), 'SECRET=1');
  stub(join(folder, 'electron'));
  await pack({
    projectDir: folder,
    targets: Platform.LINUX.createTarget(['dir']),
    publish: 'never',
    config: {
      extends: join(folder, 'electron-builder.yml'),
      electronDist: join(folder, 'electron'),
      electronVersion: about.devDependencies['electron'] ?? '',
    },
  });
  app = join(folder, 'release', 'linux-unpacked');
  asar = join(app, 'resources', 'app.asar');
}, 120_000);
afterAll(() => {
  if (canPack) rmSync(folder, { recursive: true, force: true });
});

const inside = () => listPackage(asar, { isPack: false }).map((path) => path.replaceAll('\\', '/'));

/** Unpacked, as Node sees it. */
function unpacked(): string {
  const at = mkdtempSync(join(folder, 'out-'));
  extractAll(asar, at);
  return at;
}

describe.skipIf(!canPack)('the desktop app’s folder', () => {
  it('has what it runs, and nothing else', () => {
    const files = inside().filter((path) => /\.\w+$/.test(path));
    const allowed =
      /^\/(package\.json|dist\/main\/([\w-]+\.(js|cjs)|tray\.png|licences\.txt)|dist\/window\/(index\.html|licences\.txt|[\w./-]+\.(js|css|svg|woff2|png|wasm)))$/;
    expect(files.filter((path) => !allowed.test(path))).toEqual([]);
    expect(files).toEqual(
      expect.arrayContaining([
        '/package.json',
        '/dist/main/main.js',
        '/dist/main/sim.js',
        '/dist/main/preload.cjs',
        '/dist/main/tray.png',
        '/dist/window/index.html',
      ]),
    );
  });

  it('tells the licences of what is bundled, and where its source is', () => {
    const at = unpacked();
    const [main, window] = ['main', 'window'].map((part) =>
      readFileSync(join(at, 'dist', part, 'licences.txt'), 'utf8'),
    );
    for (const name of ['ssh2', 'ws', 'zod', 'saxes']) expect(main).toMatch(new RegExp(`^${name} [0-9]`, 'm'));
    for (const name of ['svelte', '@xterm/xterm', '@novnc/novnc', 'bits-ui']) {
      expect(window).toMatch(new RegExp(`^${name} [0-9]`, 'm'));
    }
    expect(window).toMatch(/@novnc\/novnc .*\nLicence: MPL-2\.0\nSource: \S+/);
    expect(main).toMatch(/^Licence: MIT$/m);
    expect(main).toContain('Permission is hereby granted');
  });

  it('has every part that its parts ask for', () => {
    const at = unpacked();
    const there = new Set(inside());
    for (const path of there) {
      const text = /\.(js|cjs|html)$/.test(path) ? readFileSync(join(at, path), 'utf8') : '';
      const wanted = path.startsWith('/dist/main/')
        ? [...text.matchAll(/(?:from|import\()\s*"(\.\/[\w.-]+\.js)"/g)]
        : [...text.matchAll(/(?:src|href)="(\.\/[\w./-]+)"/g)];
      for (const [, part = ''] of wanted)
        expect(there, `${path} asks for ${part}`).toContain(join(dirname(path), part));
    }
  });

  it('holds no path of the machine it was built on, no secret, and no list of what built it', () => {
    const at = unpacked();
    for (const path of inside().filter((one) => /\.\w+$/.test(one))) {
      const text = readFileSync(join(at, path), 'latin1');
      for (const word of [top, folder, ...(homedir().length > 5 ? [homedir()] : []), 'SECRET=1'])
        expect(text.includes(word), `${path}: ${word}`).toBe(false);
      // A key's first line is a parser's business; what follows it is not.
      expect(text).not.toMatch(/-----BEGIN [A-Z ]*PRIVATE KEY-----\\?n?[A-Za-z0-9+/]{40}/);
    }
    const packed = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8')) as Record<string, unknown>;
    expect(packed).toMatchObject({ name: 'drover', version: about.version, main: 'dist/main/main.js' });
    expect(Object.keys(packed)).not.toContain('devDependencies');
  });

  it('is small: what is ours is under 8 MiB', () => {
    expect(readFileSync(asar).length).toBeLessThan(8 * 1024 * 1024);
  });

  it('has a digest for each file, which Electron compares', () => {
    const { header } = getRawHeader(asar) as unknown as { header: { files: Record<string, never> } };
    const digests: string[] = [];
    const visit = (node: { files?: Record<string, never>; size?: number; integrity?: { hash: string } }) => {
      if (node.files) for (const child of Object.values(node.files)) visit(child);
      else digests.push(node.integrity?.hash ?? '');
    };
    visit(header);
    expect(digests.length).toBeGreaterThan(10);
    for (const digest of digests) expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });

  it('has Electron’s switches set: nothing runs but what was packed', () => {
    const program = readFileSync(join(app, 'drover')).toString('latin1');
    const states = program.slice(program.indexOf(wire) + wire.length + 2).slice(0, fuses.length);
    expect(Object.fromEntries(fuses.map((name, at) => [name, states[at] === '1']))).toMatchObject({
      runAsNode: false,
      cookieEncryption: true,
      nodeOptions: false,
      nodeCliInspect: false,
      asarIntegrity: true,
      onlyAsar: true,
      browserSnapshot: false,
      fileProtocol: false,
    });
  });

  it('starts as far as it goes without Electron: from the packed files alone, it serves its window', async () => {
    const at = unpacked();
    const data = mkdtempSync(join(folder, 'data-'));
    const child = spawn(process.execPath, ['dist/main/main.js', 'serve', '--listen', '127.0.0.1:0', '--data', data], {
      cwd: at,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let said = '';
    child.stdout.on('data', (chunk) => (said += String(chunk)));
    await expect.poll(() => said, { timeout: 15_000 }).toMatch(/#token=/);
    const url = /(http:\S+)#/.exec(said)?.[1] ?? '';
    const page = await fetch(url);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<script type="module"')]);
  });
});

describe.skipIf(!canPack)('the package for Node', () => {
  it('is installed without a network, and is the command drover', async () => {
    const run = promisify(execFile);
    const words = ['pack', '--silent', '--offline', '--ignore-scripts', '--pack-destination', folder];
    const { stdout } = await run('npm', words, { cwd: folder });
    const prefix = mkdtempSync(join(folder, 'prefix-'));
    const file = join(folder, stdout.trim());
    const listed = (await run('tar', ['tzf', file])).stdout.trim().split('\n');
    expect(listed).toEqual(
      expect.arrayContaining([
        'package/bin/drover.mjs',
        'package/dist/main/main.js',
        'package/dist/window/index.html',
        'package/LICENSE',
      ]),
    );
    expect(listed.filter((path) => /\.(ts|map|env)$|node_modules|test\//.test(path))).toEqual([]);
    await run('npm', [
      'install',
      '--global',
      '--offline',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--prefix',
      prefix,
      file,
    ]);
    const said = await run(join(prefix, 'bin', 'drover'), ['--version']);
    expect(said.stdout).toBe(`${about.version}\n`);
  });
});

describe('npm run pack', () => {
  const packing = (...targets: string[]) =>
    spawnSync(process.execPath, [join(top, 'build', 'pack.mjs'), ...targets], {
      cwd: top,
      encoding: 'utf8',
      env: { ...process.env, ELECTRON_OVERRIDE_DIST_PATH: join(top, '.cache', 'nothing') },
    });

  it('says of each package why it cannot be made here', () => {
    const run = packing('AppImage', 'dmg', 'nsis');
    expect(run.status).toBe(1);
    for (const target of ['AppImage', 'dmg', 'nsis'])
      expect(run.stdout).toMatch(new RegExp(`^not  ${target}: \\S+ .+$`, 'm'));
  });

  it('knows which packages there are', () => {
    const run = packing('floppy');
    expect([run.status, run.stderr]).toEqual([2, expect.stringMatching(/no package “floppy”: .*AppImage/)]);
  });
});

describe('the icons', () => {
  const icons = join(top, 'assets', 'icons');

  it('were made from assets/icon.svg as it is', () => {
    const digest = createHash('sha256')
      .update(readFileSync(join(top, 'assets', 'icon.svg')))
      .digest('hex');
    expect(readFileSync(join(icons, 'made-from.sha256'), 'utf8')).toContain(digest);
  });

  it('have the sizes that each system asks for', () => {
    for (const size of [16, 32, 48, 64, 128, 256, 512]) {
      const png = readFileSync(join(icons, `${size}x${size}.png`));
      expect([png.toString('latin1', 1, 4), png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual(['PNG', size, size]);
    }
    const ico = readFileSync(join(icons, 'icon.ico'));
    const entries = Array.from({ length: ico.readUInt16LE(4) }, (_, at) => 6 + 16 * at);
    expect(entries.map((at) => ico[at])).toEqual([16, 24, 32, 48, 64, 128, 0]); // 0 is 256
    for (const at of entries) {
      const [size, from] = [ico.readUInt32LE(at + 8), ico.readUInt32LE(at + 12)];
      expect(ico.toString('latin1', from + 1, from + 4)).toBe('PNG');
      expect(from + size).toBeLessThanOrEqual(ico.length);
    }
    const icns = readFileSync(join(icons, 'icon.icns'));
    expect([icns.toString('latin1', 0, 4), icns.readUInt32BE(4)]).toEqual(['icns', icns.length]);
  });
});

describe('the service for systemd', () => {
  const unit = readFileSync(join(top, 'assets', 'drover.service'), 'utf8');
  const hasSystemd = spawnSync('systemd-analyze', ['--version']).error === undefined;

  it('runs a command that there is, with options that it knows', async () => {
    const { commands, globalOptions } = await import('../../src-main/cli/commands.ts');
    const [, name = '', rest = ''] = /^ExecStart=\/usr\/bin\/node \S+\/bin\/drover\.mjs (\w+) (.*)$/m.exec(unit) ?? [];
    const command = commands.find((one) => one.name === name);
    expect(command).toBeDefined();
    for (const [, option = ''] of rest.matchAll(/--([a-z-]+)/g))
      expect(Object.keys({ ...command?.options, ...globalOptions })).toContain(option);
  });

  it.skipIf(!hasSystemd)('is what systemd-analyze takes, and is well closed in', () => {
    const at = mkdtempSync(join(folder, 'unit-'));
    // Of what it starts, systemd looks whether it is there: here it is Node itself.
    writeFileSync(join(at, 'drover.service'), unit.replace('/usr/bin/node', process.execPath));
    chmodSync(at, 0o755);
    const verified = spawnSync('systemd-analyze', ['verify', '--recursive-errors=no', join(at, 'drover.service')], {
      encoding: 'utf8',
    });
    expect([verified.status, verified.stderr.split('\n').filter((line) => line.includes('drover.service'))]).toEqual([
      0,
      [],
    ]);
    const looked = spawnSync(
      'systemd-analyze',
      ['security', '--offline=yes', '--threshold=25', join(at, 'drover.service')],
      { encoding: 'utf8' },
    );
    expect(looked.status, looked.stdout.slice(-300)).toBe(0);
  });

  it.skipIf(!hasSystemd)('is let do what Node and ssh ask the kernel for, and is not killed for more', () => {
    const callsOf = (name: string): string[] => {
      if (!name.startsWith('@')) return [name];
      const { stdout } = spawnSync('systemd-analyze', ['syscall-filter', name], { encoding: 'utf8' });
      const inside = stdout
        .split('\n')
        .slice(1)
        .map((line) => line.trim());
      return inside.filter((line) => /^@?[a-z]/.test(line)).flatMap(callsOf);
    };
    const allowed = new Set<string>();
    for (const [, not, names = ''] of unit.matchAll(/^SystemCallFilter=(~?)(.*)$/gm)) {
      for (const call of names.split(' ').flatMap(callsOf)) {
        if (not) allowed.delete(call);
        else allowed.add(call);
      }
    }
    // V8 when it starts; ssh before it runs a ProxyCommand or a KnownHostsCommand; all of them.
    for (const call of ['pkey_alloc', 'setresuid', 'setresgid', 'execve', 'socket', 'futex'])
      expect([...allowed], call).toContain(call);
    expect([...allowed].filter((call) => ['chown', 'mount', 'setrlimit', 'ptrace', 'reboot'].includes(call))).toEqual(
      [],
    );
    expect(unit).toMatch(/^SystemCallErrorNumber=EPERM$/m);
  });
});
