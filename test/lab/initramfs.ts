// What guests boot: the machine's own Debian kernel, and an initramfs of busybox, a few modules and guest-init.sh.
import { gzipSync } from 'node:zlib';
import { chmod, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { run } from './run.ts';

const MODULES = ['virtio_pci', 'virtio_blk', 'virtio_net', 'virtio_balloon', 'button', 'evdev'];

export interface GuestBoot {
  kernel: string;
  initrd: string;
}

/** The newest cloud kernel on the machine. @throws Error where there is none. */
async function findKernel(): Promise<string> {
  const versions = (await readdir('/boot'))
    .filter((name) => /^vmlinuz-.*cloud-amd64$/.test(name))
    .map((name) => name.slice('vmlinuz-'.length))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  if (!versions[0]) throw new Error('there is no cloud kernel in /boot: install linux-image-cloud-amd64');
  return versions[0];
}

/** The modules with all that they need, in the order to load them; paths below the version's folder. */
async function moduleFiles(folder: string): Promise<string[]> {
  const needs = new Map<string, string[]>();
  for (const line of (await readFile(join(folder, 'modules.dep'), 'utf8')).split('\n')) {
    const [file = '', rest = ''] = line.split(':');
    needs.set(file, rest.split(' ').filter(Boolean));
  }
  const ordered = new Set<string>();
  for (const name of MODULES) {
    const file = [...needs.keys()].find((path) => basename(path) === `${name}.ko`);
    if (!file) continue; // built in
    for (const needed of [...(needs.get(file) ?? [])].reverse()) ordered.add(needed);
    ordered.add(file);
  }
  return [...ordered];
}

/** Builds both files into `folder`. */
export async function buildGuestBoot(folder: string): Promise<GuestBoot> {
  const version = await findKernel();
  const modules = join('/lib/modules', version);
  const tree = join(folder, 'tree');
  for (const name of ['bin', 'modules', 'proc', 'sys', 'dev', 'etc/acpi/PWRF']) {
    await mkdir(join(tree, name), { recursive: true });
  }
  const files = await moduleFiles(modules);
  for (const file of files) await copyFile(join(modules, file), join(tree, 'modules', basename(file)));
  await writeFile(join(tree, 'modules/order'), files.map((file) => basename(file)).join('\n') + '\n');
  await copyFile('/bin/busybox', join(tree, 'bin/busybox'));
  await copyFile(join(import.meta.dirname, 'guest-init.sh'), join(tree, 'init'));
  await writeFile(join(tree, 'etc/acpi/PWRF/00000080'), '#!/bin/sh\npoweroff -f\n');
  for (const name of ['bin/busybox', 'init', 'etc/acpi/PWRF/00000080']) await chmod(join(tree, name), 0o755);

  const boot = { kernel: join(folder, 'vmlinuz'), initrd: join(folder, 'initrd.gz') };
  const plain = join(folder, 'initrd');
  await run(['sh', '-c', 'find . | cpio -o -H newc -R 0:0 --quiet > "$1"', 'sh', plain], { cwd: tree });
  await writeFile(boot.initrd, gzipSync(await readFile(plain), { level: 1 }));
  await copyFile(join('/boot', `vmlinuz-${version}`), boot.kernel);
  await rm(plain);
  await rm(tree, { recursive: true });
  return boot;
}
