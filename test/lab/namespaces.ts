// The lab's network: a bridge in a namespace of its own, and a namespace with a cable to it for every host and for the
// admin. Nothing of it is in the root namespace, so nothing that a test sends can leave the machine.
import { createHash } from 'node:crypto';
import { run, succeeds } from './run.ts';
import { end, processId } from './processes.ts';

const BRIDGE = 'lan';

/** The first three numbers of a /24 that belongs to this prefix. */
export function subnetOf(prefix: string): string {
  const [a = 0, b = 0] = createHash('sha256').update(prefix).digest();
  return `10.${1 + (a % 250)}.${1 + (b % 250)}`;
}

export const namespaceOf = (prefix: string, member: string) => `${prefix}-${member}`;

const ip = (namespace: string, commands: string[]) =>
  run(['ip', '-n', namespace, '-batch', '-'], { input: commands.join('\n') + '\n' });

/** One namespace for the switch and one per member, joined; `members` maps names to addresses. */
export async function createNetwork(prefix: string, members: Record<string, string>): Promise<void> {
  const lan = namespaceOf(prefix, BRIDGE);
  const names = Object.keys(members);
  await run(['ip', '-batch', '-'], {
    input: [lan, ...names.map((name) => namespaceOf(prefix, name))].map((ns) => `netns add ${ns}\n`).join(''),
  });
  await ip(lan, [
    'link set lo up',
    'link add bridge type bridge forward_delay 0 stp_state 0',
    'link set bridge up',
    ...names.flatMap((name) => [
      `link add ${name} type veth peer name eth0 netns ${namespaceOf(prefix, name)}`,
      `link set ${name} master bridge up`,
    ]),
  ]);
  await Promise.all(
    Object.entries(members).map(([name, address]) =>
      ip(namespaceOf(prefix, name), ['link set lo up', `addr add ${address}/24 dev eth0`, 'link set eth0 up']),
    ),
  );
}

/** A bridge inside a host that its guests' network cards hang on; it leads nowhere. */
export const createGuestBridge = (prefix: string, host: string) =>
  ip(namespaceOf(prefix, host), ['link add br0 type bridge forward_delay 0', 'link set br0 up']);

/** Ends what still runs in the prefix's namespaces and removes them. */
export async function removeNetwork(prefix: string): Promise<void> {
  const all = (await run(['ip', 'netns', 'list'])).split('\n').map((line) => line.split(' ')[0] ?? '');
  await Promise.all(
    all
      .filter((name) => name.startsWith(`${prefix}-`))
      .map(async (name) => {
        for (const pid of (await run(['ip', 'netns', 'pids', name])).split('\n').filter(Boolean)) {
          const found = processId(Number(pid));
          if (found && found.pid !== process.pid) await end(found);
        }
        await run(['ip', 'netns', 'delete', name]);
      }),
  );
}

/** Takes the switch's end of a member's cable down: from both sides the network is silent, nothing is refused. */
export const setLink = (prefix: string, member: string, state: 'up' | 'down') =>
  ip(namespaceOf(prefix, BRIDGE), [`link set ${member} ${state}`]);

/**
 * Delay, loss or rate on what the switch sends to a member, in tc's words; none takes it off again.
 * @throws Error where the machine's kernel has no netem.
 */
export async function setNetem(prefix: string, member: string, args: string[]): Promise<void> {
  const tc = ['tc', '-n', namespaceOf(prefix, BRIDGE), 'qdisc'];
  await succeeds([...tc, 'del', 'dev', member, 'root']);
  if (args.length > 0) await run([...tc, 'add', 'dev', member, 'root', 'netem', ...args]);
}

let netem: Promise<boolean> | null = null;

/** Not every kernel has netem; tests that need it ask first. */
export function netemThere(prefix: string): Promise<boolean> {
  netem ??= (async () => {
    const there = await succeeds([
      ...['tc', '-n', namespaceOf(prefix, BRIDGE)],
      ...['qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '0ms'],
    ]);
    if (there) await run(['tc', '-n', namespaceOf(prefix, BRIDGE), 'qdisc', 'del', 'dev', 'lo', 'root']);
    return there;
  })();
  return netem;
}
