// Short commands on a host, for what only it can tell: few at once.
import type { Host } from '../../fleet/host.ts';
import { Gate } from '../../ssh/index.ts';

/** A host's SSH server has room for ten sessions. */
const atOnce = 4;
const waitMs = 15_000;
const gates = new WeakMap<Host, Gate>();

/** @returns null where it cannot be run there, or the others take too long */
export async function run(host: Host, command: string): Promise<{ stdout: string; code: number | null } | null> {
  let gate = gates.get(host);
  if (!gate) gates.set(host, (gate = new Gate(atOnce)));
  const leave = await gate.enter(AbortSignal.timeout(waitMs)).catch(() => null);
  if (!leave) return null;
  try {
    return await host.shell(command);
  } finally {
    leave();
  }
}
