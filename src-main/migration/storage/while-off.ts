// Watches that a VM stays shut off while its disks are copied: a copy of a disk that is written to is worth nothing.
import { Failure } from '../../../contract/failure.ts';
import type { Uuid } from '../../../contract/model.ts';
import type { Host } from '../../fleet/host.ts';
import type { DiskCopy } from './disk-copy.ts';
import { look } from '../recovery/look.ts';

/** @throws Failure `conflict` where it was started meanwhile, and whatever the copy throws */
export async function copyWhileOff(copy: DiskCopy, source: Host, vm: { uuid: Uuid; name: string }): Promise<void> {
  let runs = false;
  const undo = source.onLifecycle((uuid, { event }) => {
    if (uuid !== vm.uuid || event !== 'started') return;
    runs = true;
    copy.cancel();
  });
  const started = () =>
    new Failure(
      'conflict',
      `${vm.name} was started on ${source.label} while its disks were copied, so the copies are worth nothing. Shut it down and try again, or migrate it live.`,
    );
  try {
    await copy.run();
    // Its event may be on its way still.
    const { seen } = await look(source, vm.uuid);
    if (seen.at !== 'shutoff' && seen.at !== 'unreachable') runs = true;
  } catch (error) {
    throw runs ? started() : error;
  } finally {
    undo();
  }
  if (runs) throw started();
}
