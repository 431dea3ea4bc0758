// Adding a host: by its name or its URI, and what it says until it is online.
import { count, memory, vms } from './format.ts';

export const addHost = {
  title: 'Add a host',
  about: 'A Linux machine with libvirt that you can log in to by SSH.',
  connecting: (host: string) => `Connecting to ${host}`,
  asks: 'It asks for something to log in.',
  wait: 'This takes a second or two. It goes on if you close this.',
  online: (host: string) => `${host} is online`,
  notConnected: (host: string) => `${host} is not connected.`,
  /** What was found on it; `info` null while it is not read yet. */
  found: (
    { total, running }: { total: number; running: number },
    info: { cpus: number; memoryKiB: number; libvirtVersion: string } | null,
    readOnly: boolean,
  ) => {
    const machine = info
      ? `; ${count(info.cpus, 'CPU', 'CPUs')}, ${memory(info.memoryKiB)}, libvirt ${info.libvirtVersion}`
      : '';
    const only = readOnly ? '. It is read-only: this user may look, but not change anything' : '';
    return `${vms(total)}, ${running} running${machine}${only}.`;
  },

  ways: 'How to name the host',
  byName: 'By name',
  byUri: 'By URI',
  host: 'Host',
  hostPlaceholder: 'Name or address',
  nothingGiven: 'Give a name or an address.',
  user: 'User',
  userHint: 'root, or one in the group libvirt',
  userPlaceholder: 'as ssh_config says',
  port: 'Port',
  sudo: 'Use sudo on the host',
  sudoHint: 'For a user that is not in the group libvirt, and may use sudo',
  uri: 'URI',
  uriHint: 'As in libvirt: qemu+ssh://, or qemu:///system for this machine',
  label: 'Label',
  labelHint: 'What it is called in Drover',
  labelEmpty: (usual: string) => `Empty: ${usual}`,

  add: 'Add and connect',
  showKnown: 'Show that host',
  another: 'Add another',
  show: 'Show it',
  sureFirst: 'Say first that you know why the key changed',
  replaceKey: 'Replace the key and connect',
  trust: 'Trust and connect',
  keep: 'Keep it, close',
  retry: 'Try again',
};
