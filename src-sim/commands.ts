// The few commands that a host carries out for whoever logged in: those that libvirt's and Drover's clients send.
import type { SimHost } from './host.ts';

export interface Answering {
  mayUse: boolean;
  user: string;
  /** Goes on as a stream to the daemon, after these words. */
  toLibvirt: (greeting: string) => void;
  /** Ends with a text and an exit code. */
  say: (text: string, code: number) => void;
}

const SOCKET = '/run/libvirt/libvirt-sock';

export function carryOut(host: SimHost, command: string, { mayUse, user, toLibvirt, say: tell }: Answering): void {
  const script = unquoted(command);
  const [, greeting = ''] = /echo (drover:begin);/.exec(script) ?? [];
  const begins = greeting && `${greeting}\n`;
  const say: Answering['say'] = (text, code) => tell(begins + text, code);
  if (/drover:open/.test(script)) {
    const socket = mayUse ? `drover:open ${SOCKET}` : `drover:shut srwxrwx--- 1 root libvirt 0 Jan  1 00:00 ${SOCKET}`;
    const programs = ['libvirtd', 'virt-ssh-helper', 'nc'].map((name) => `drover:has ${name}\n`).join('');
    return say(`${socket}\n${programs}drover:groups ${user}\n`, 0);
  }
  if (/\bvirt-ssh-helper\b/.test(script) || (/\bnc\b/.test(script) && script.includes(SOCKET))) {
    if (mayUse) return toLibvirt(begins);
    return say('', 1);
  }
  const paths = [...script.matchAll(/stat -L -c %i -- ('(?:[^']|'\\'')*'|[^\s']+) 2>&1/g)];
  if (paths.length > 0) return say(paths.map(([, word = '']) => `${stat(host, unword(word))}\n`).join(''), 0);
  const [, relay] = /(?:mkdir -m \d+|rm -rf) (\/run\/[\w-]+)/.exec(script) ?? [];
  if (relay !== undefined) return relayFolder(host, script.includes('mkdir'), relay, user, say);
  // A port of a migration: packets get through, and nothing listens there yet.
  if (script.includes('/dev/tcp/')) return say('bash: connect: Connection refused\n', 1);
  const simple: Record<string, string> = {
    true: '',
    hostname: `${host.name}\n`,
    'id -un': `${user}\n`,
    uname: 'Linux\n',
  };
  const answer = simple[script.replace('echo drover:begin;', '').trim()];
  if (answer !== undefined) return say(answer, 0);
  say('', 127);
}

/** The inode and its file system, as Drover asks for them. */
function stat({ fleet, name }: SimHost, path: string): string {
  const file = fleet.storage.file(name, path);
  const mount = fleet.storage.mountOf(name, path);
  return file && mount ? `${file.inode} ${mount.store.id} ${mount.store.kind}` : 'absent';
}

/** A folder for the sockets of a migration through Drover: root's is another than a user's. */
function relayFolder({ unix }: SimHost, make: boolean, root: string, user: string, say: Answering['say']): void {
  const path = user === 'root' ? root : root.replace('/run/', '/tmp/');
  if (make && unix.folders.has(path)) return say(`mkdir: cannot create directory ‘${path}’: File exists\n`, 1);
  if (make) unix.folders.add(path);
  else unix.folders.delete(path);
  say(make ? `${path}\n` : '', 0);
}

/** What `sh -c '…'` is given; else the command itself. */
function unquoted(command: string): string {
  const [, inside] = /^sh -c '([^]*)'\s*$/.exec(command.trim()) ?? [];
  return inside === undefined ? command : inside.replaceAll(/'\\([^])'/g, '$1');
}

const unword = (word: string) => (word.startsWith("'") ? word.slice(1, -1).replaceAll(`'\\''`, `'`) : word);
