// What a machine needs before anything runs: Node, the packages of package-lock.json, and for tests Debian's parts.
// Needs nothing installed itself.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Not by `import.meta.dirname`: a Node that is too old has none, and shall be told so. */
export const top = resolve(fileURLToPath(import.meta.url), '..', '..');

/** Where a missing part is a failure, never a skip. */
export const ci = process.env.CI === 'true' || process.env.CI === '1';

export const labPackages = [
  'libvirt-daemon',
  'libvirt-daemon-driver-qemu',
  'libvirt-daemon-system',
  'libvirt-clients',
  'qemu-system-x86',
  'qemu-utils',
  'openssh-server',
  'openssh-client',
  'iproute2',
  'busybox-static',
  'linux-image-cloud-amd64',
  'cpio',
  'netcat-openbsd',
  'bindfs',
  'procps',
  'sudo',
];
export const browserPackages = ['chromium'];

const quiet = (file, args) => spawnSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
const parse = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** Ends with a sentence where Node is too old. */
export function ensureNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`Drover needs Node 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

/** True where node_modules holds what package-lock.json says, as npm itself noted it down. */
function modulesFit() {
  try {
    const wanted = parse(join(top, 'package-lock.json')).packages;
    const there = parse(join(top, 'node_modules/.package-lock.json')).packages;
    const present = Object.entries(there).every(([path, { version }]) => wanted[path]?.version === version);
    const complete = Object.entries(wanted).every(([path, { optional }]) => path === '' || optional || path in there);
    return present && complete;
  } catch {
    return false;
  }
}

/** `npm ci`, unless all is there already. */
export function ensureModules() {
  if (modulesFit()) return;
  console.log('installing the packages of package-lock.json');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: top,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    console.error('npm ci failed: nothing can run without its packages.');
    process.exit(1);
  }
}

const missingOf = (packages) =>
  packages.filter((name) => !quiet('dpkg-query', ['-W', '-f', '${Status}', name]).stdout?.includes('ok installed'));

let updated = false;

/**
 * Installs what is missing of Debian's packages, as root on Debian.
 * @returns null when all is there, else a sentence saying what is not
 */
export function ensureDebian(packages, what) {
  if (process.platform !== 'linux') return `${what} needs Linux; this is ${process.platform}`;
  if (quiet('dpkg-query', ['--version']).status !== 0) return `${what} needs Debian’s packages, and this is not Debian`;
  let missing = missingOf(packages);
  if (missing.length === 0) return null;
  if (process.getuid() !== 0) return `${what} needs root, or these packages: ${missing.join(' ')}`;
  console.log(`installing for ${what}: ${missing.join(' ')}`);
  withoutServices(() => {
    const apt = (...args) =>
      spawnSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...args], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      });
    if (!updated) apt('update');
    updated = true;
    apt('install', '-y', '--no-install-recommends', ...missing);
  });
  missing = missingOf(packages);
  return missing.length === 0 ? null : `${what} needs packages that apt-get could not install: ${missing.join(' ')}`;
}

/** Debian asks this file before a package starts its service: the lab starts its own, away from the machine's network. */
function withoutServices(install) {
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) {
    writeFileSync(policy, '#!/bin/sh\nexit 101\n');
    chmodSync(policy, 0o755);
  }
  try {
    install();
  } finally {
    if (ours) rmSync(policy);
  }
}

/** Everything that the lab's real hosts need. @returns null, or a sentence saying what is missing */
export function ensureLab() {
  if (process.platform === 'linux' && process.getuid() !== 0) return 'the lab needs root, for its network namespaces';
  if (process.arch !== 'x64') return `the lab’s guests need an x64 machine; this is ${process.arch}`;
  const missing = ensureDebian(labPackages, 'the lab');
  if (missing) return missing;
  const probe = `drover-${process.pid}`;
  if (quiet('ip', ['netns', 'add', probe]).status !== 0)
    return 'the lab needs network namespaces, which are denied here';
  quiet('ip', ['netns', 'delete', probe]);
  return null;
}

/** What some unit tests compare with: sshd, virsh, shells, man, systemd. @returns null, or what is missing */
export const ensureReferees = () =>
  ensureDebian([...labPackages, 'man-db', 'systemd', 'zsh', 'fish'], 'a part of the unit tests');

/** @returns null, or a sentence saying what is missing */
export const ensureBrowser = () => ensureDebian(browserPackages, 'the browser tests');

/** The words before the arguments that run a TypeScript file with this Node. */
export const tsx = [process.execPath, '--import', 'tsx'];

/** Where Electron's own files are, if they are: its package alone does not bring them. */
export const electronDist = process.env.ELECTRON_OVERRIDE_DIST_PATH ?? join(top, 'node_modules/electron/dist');

/** Electron's program, or null. */
export function electronBinary() {
  const names = { darwin: 'Electron.app/Contents/MacOS/Electron', win32: 'electron.exe' };
  const binary = join(electronDist, names[process.platform] ?? 'electron');
  return existsSync(binary) ? binary : null;
}
