// Where a VM's disks are, read from its XML: what deleting its storage would take away.
import { hardware as words } from '../words/hardware.ts';

/** Files, block devices and volumes of its disks; not its CD-ROMs and floppies. Empty where the XML cannot be read. */
export function diskPaths(xml: string): string[] {
  const disks = new DOMParser().parseFromString(xml, 'text/xml').querySelectorAll('domain > devices > disk');
  return [...disks]
    .filter((disk) => ['disk', 'lun', null].includes(disk.getAttribute('device')))
    .flatMap((disk) => {
      const source = disk.querySelector(':scope > source');
      const pool = source?.getAttribute('pool');
      const path = source?.getAttribute('file') ?? source?.getAttribute('dev') ?? source?.getAttribute('name');
      const volume = source?.getAttribute('volume');
      return path ?? (pool && volume ? words.volume(volume, pool) : []);
    });
}
