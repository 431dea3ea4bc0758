// The file that a VM's firmware keeps its variables in (NVRAM). libvirt copies no file: with a running VM what is in it
// goes over as memory does, into a file that the target has to have; of one that is shut off nothing goes over at all.
import { posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../../../contract/failure.ts';
import type { Uuid } from '../../../contract/model.ts';
import { readDomainXml } from '../../fleet/domain-xml.ts';
import { explain } from '../../fleet/explain.ts';
import type { Host } from '../../fleet/host.ts';
import { ConnectionLost } from '../../libvirt/index.ts';
import { borrowPool, volumeFacts, volumeIn, volumeXml } from './pools.ts';
import { same, statted } from './shared-disks.ts';

export interface Variables {
  source: Host;
  target: Host;
  vm: { uuid: Uuid; name: string };
  destXml: string | null;
  /** The VM is shut off, so what is in the file goes along by this alone. */
  off: boolean;
}

/**
 * @returns what takes the file away again; null where none was made
 * @throws Failure, ConnectionLost
 */
export async function carryNvram(variables: Variables): Promise<(() => Promise<void>) | null> {
  const { source, target, vm, off } = variables;
  const path = source.domains.facts(vm.uuid)?.nvram ?? null;
  if (path === null) return null;
  const there = pathThere(variables.destXml) ?? path;
  const user = target.domains.all.find(({ uuid }) => uuid !== vm.uuid && target.domains.facts(uuid)?.nvram === there);
  if (user) {
    const message = `${user.name} on ${target.label} keeps its firmware’s variables in ${there}, where those of ${vm.name} would go. Give this one another file in the XML for the target (destXml).`;
    throw new Failure('conflict', message);
  }
  try {
    return await copyFile(source, target, path, there, off);
  } catch (error) {
    if (error instanceof ConnectionLost) throw error;
    // libvirt makes one itself, where it has what it makes it from.
    if (!off) return null;
    throw explain(error, target.label, `copying the firmware’s variables (${path}) of ${vm.name}`);
  }
}

async function copyFile(source: Host, target: Host, path: string, there: string, off: boolean) {
  const from = await source.open({ keepalive: false });
  const to = await target.open({ keepalive: false }).catch((error: unknown) => {
    void from.close();
    throw error;
  });
  const backs: (() => Promise<void>)[] = [];
  try {
    const here = await borrowPool(source, from, path);
    backs.push(here.giveBack);
    const over = await borrowPool(target, to, there);
    backs.push(over.giveBack);
    const vol = await volumeIn(from, here.pool, posix.basename(path));
    // It was never started: its firmware has kept nothing yet.
    if (!vol) return null;
    const name = posix.basename(there);
    const old = await volumeIn(to, over.pool, name);
    // Both may see one folder: what would be deleted there is then all that there is.
    if (old && (!off || !(await areApart(source, path, target, there)))) return null;
    const { physical } = await volumeFacts(from, vol);
    // Left by the same VM when it was here before: nobody else has it, and the VM's own go on with it.
    if (old) await to.call('storage_vol_delete', { vol: old });
    const xml = volumeXml({ name, format: 'raw', capacity: physical });
    const { vol: copy } = await to.call('storage_vol_create_xml', { pool: over.pool, xml });
    const remove = () => removeFile(target, there);
    try {
      const whole = { offset: 0n, length: BigInt(physical) };
      const down = await from.openStream('storage_vol_download', { vol, ...whole });
      const up = await to.openStream('storage_vol_upload', { vol: copy, ...whole });
      await pipeline(down, up);
    } catch (error) {
      await remove().catch(() => {});
      throw error;
    }
    return remove;
  } finally {
    await Promise.all(backs.map((giveBack) => giveBack().catch(() => {})));
    void from.close();
    void to.close();
  }
}

/** Only where both were seen to be there, and not to be the same. */
async function areApart(source: Host, path: string, target: Host, there: string): Promise<boolean> {
  const [here, over] = await Promise.all([statted(source, [path]), statted(target, [there])]);
  const [a, b] = [here?.get(path), over?.get(there)];
  return Boolean(a && b) && !same(a, b);
}

async function removeFile(host: Host, path: string): Promise<void> {
  const on = await host.work();
  const { pool, giveBack } = await borrowPool(host, on, path);
  try {
    const vol = await volumeIn(on, pool, posix.basename(path));
    if (vol) await on.call('storage_vol_delete', { vol });
  } finally {
    await giveBack();
  }
}

function pathThere(xml: string | null): string | null {
  try {
    return xml === null ? null : readDomainXml(xml).nvram;
  } catch {
    return null; // libvirt says what is wrong with it
  }
}
