// Post-copy: the target's QEMU fetches pages that the guest misses by the kernel's userfaultfd, which not everybody may.
import type { Check } from '../../../contract/model.ts';
import type { Route } from '../route.ts';
import { run } from './probe.ts';
import { error, ok, warn } from './say.ts';
import { compareVersions } from './versions.ts';

const switchFile = '/proc/sys/vm/unprivileged_userfaultfd';
/** From here on libvirt hands the device of that name to QEMU. */
const byDevice = '10.1.0';

export async function checkPostCopy({ target, options }: Route): Promise<Check[]> {
  if (!options.postCopy) return [];
  // As whom QEMU runs: it owns this folder.
  const ask = `cat ${switchFile} 2>/dev/null || echo none; stat -c 'by %u' /var/lib/libvirt/qemu; test -e /dev/userfaultfd && echo device; true`;
  const said = (await run(target, ask))?.stdout ?? '';
  const [allowed] = /^(none|\d)/.exec(said) ?? [];
  const owner = /^by (\d+)$/m.exec(said)?.[1];
  const device = /^device$/m.test(said) && compareVersions(target.info?.libvirtVersion ?? '0', byDevice) >= 0;
  if (allowed === undefined || owner === undefined) {
    return [warn('post-copy', `Whether the kernel of ${target.label} lets QEMU do post-copy is not known.`)];
  }
  if (allowed !== '0' || owner === '0' || device) {
    return [ok('post-copy', `The kernel of ${target.label} lets QEMU do post-copy.`)];
  }
  const message = `The kernel of ${target.label} forbids post-copy to QEMU, which is not root there (${switchFile} is 0).`;
  return [error('post-copy', message, 'Set it there: sysctl vm.unprivileged_userfaultfd=1; or leave post-copy out.')];
}
