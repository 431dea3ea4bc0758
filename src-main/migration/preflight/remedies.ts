// What a check offers to do about it: shown beforehand, done only where somebody says so.
import type { MigrationOptions, Remedy } from '../../../contract/model.ts';
import { explain } from '../../fleet/explain.ts';
import type { Host } from '../../fleet/host.ts';
import { quote } from '../virsh.ts';

interface Deed {
  host: Host;
  /** As in “ejecting sda of web01 failed”. */
  doing: string;
  act: () => Promise<void>;
}

/** Beside the remedies, which are plain data and leave the process. */
const deeds = new WeakMap<Remedy, Deed>();

/** Something that is done on a host. */
export function onHost(remedy: Remedy, deed: Deed): Remedy {
  deeds.set(remedy, deed);
  return remedy;
}

/** Other options for the migration; nothing is changed on any host. */
export function byOptions(
  id: string,
  label: string,
  options: Partial<MigrationOptions>,
  preview: Remedy['preview'] = { kind: 'options', text: inWords(options) },
): Remedy {
  return { id, label, preview, options };
}

/** @throws Failure */
export async function carryOut(remedy: Remedy): Promise<void> {
  const deed = deeds.get(remedy);
  if (!deed) return;
  try {
    await deed.act();
  } catch (error) {
    throw explain(error, deed.host.label, deed.doing);
  }
}

/** The same by hand: `virsh -c URI words…`. */
export const virshLine = (host: Host, ...words: string[]): Remedy['preview'] => ({
  kind: 'command',
  text: ['virsh', '-c', host.uri.text, ...words].map(quote).join(' '),
});

const inWords = (options: Partial<MigrationOptions>) =>
  Object.entries(options)
    .map(([name, value]) => `${name}: ${String(value)}`)
    .join('\n');
