// What a VM is made of, by the names of its devices.

/** What is worth a line of its own, by its element in the XML; controllers, mice and keyboards are not. */
const others: Readonly<Record<string, string>> = {
  hostdev: 'Device of the host',
  redirdev: 'USB redirection',
  filesystem: 'Shared folder',
  graphics: 'Screen',
  video: 'Video card',
  sound: 'Sound card',
  serial: 'Serial port',
  channel: 'Channel',
  tpm: 'TPM',
  rng: 'Random numbers',
  watchdog: 'Watchdog',
  memballoon: 'Memory balloon',
  vsock: 'Socket to the host',
  panic: 'Panic notifier',
};

export const hardware = {
  bios: 'BIOS',
  uefi: 'UEFI',
  secureBoot: 'UEFI, Secure Boot',
  others,
  volume: (name: string, pool: string) => `${name} in pool ${pool}`,
};

/** By what libvirt calls a disk's device. */
const disks: Readonly<Record<string, string>> = { disk: 'Disk', cdrom: 'CD-ROM', floppy: 'Floppy', lun: 'LUN' };

export const hardwareView = {
  machine: 'Machine',
  arch: 'Architecture',
  firmware: 'Firmware',
  cpu: 'CPU',
  none: 'None.',

  disks: 'Disks',
  disk: (device: string, bus: string | null) => `${disks[device] ?? device}${bus ? ` on ${bus}` : ''}`,
  readonly: 'read-only',
  shareable: 'shareable',
  source: 'Source',
  empty: 'empty',
  format: 'Format',
  cache: 'Cache',
  usualCache: 'default',

  cards: 'Network cards',
  unplugged: 'cable pulled',
  model: 'Model',
  network: 'Connected to',
  end: 'On the host',

  others: 'Other devices',
};
