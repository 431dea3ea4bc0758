// What a simulated fleet is made of, as whoever starts one describes it.

export interface HostSpec {
  name: string;
  /** In 127.0.0.0/8; each its own where the system has all of them. */
  address?: string;
  port?: number;
  uuid?: string;
  cpus?: number;
  mhz?: number;
  memoryGiB?: number;
  cpuModel?: string;
  /** Features of processors that it cannot give a guest, by libvirt's names. */
  lacks?: string[];
  /** Version of libvirt: 9000000 is 9.0.0. */
  libvirt?: number;
  /** Version of QEMU, likewise. */
  qemu?: number;
  /** Machine types, the newest first. */
  machines?: string[];
  /** Whether it can run guests of type kvm; else only qemu. */
  kvm?: boolean;
  /** Storage: what is mounted where. Left out: a local one and one that all hosts share. */
  pools?: PoolSpec[];
  networks?: NetworkSpec[];
  /** Bridges besides those of networks. */
  bridges?: string[];
  /** Who may log in: by a key of the fleet (`key`), by the fleet's password, or anybody. */
  login?: 'key' | 'password' | 'none';
  /** The user that may use libvirt; others log in, and find the socket closed. */
  user?: string;
  /** MiB a second that it sends at most. */
  linkMiBps?: number;
}

export interface PoolSpec {
  name: string;
  path: string;
  /** Hosts whose pools name the same store see the same files; left out: this host's own disks. */
  store?: string;
  gib?: number;
}

export interface NetworkSpec {
  name: string;
  bridge: string;
  mode?: 'nat' | 'bridge';
}

export interface DiskSpec {
  path: string;
  target?: string;
  gib?: number;
  cache?: string;
}

export interface DomainSpec {
  name: string;
  host: string;
  uuid?: string;
  title?: string;
  /** As Drover keeps them, in its metadata. */
  tags?: string[];
  running?: boolean;
  paused?: boolean;
  autostart?: boolean;
  memoryMiB?: number;
  vcpus?: number;
  /** Features that its processor has to have. */
  features?: string[];
  /** `kvm` where left out. */
  type?: 'kvm' | 'qemu';
  machine?: string;
  disks?: DiskSpec[];
  /** Names of networks, or `bridge:br0`. */
  nics?: string[];
  /** Whether it has a VNC server; on a port that libvirt chooses, and for anybody, where nothing else is said. */
  vnc?: boolean | { socket?: string; password?: string };
  profile?: Partial<Profile>;
}

/** How a guest behaves. */
export interface Profile {
  /** Mean share of its CPUs that it uses, 0 to 1. */
  load: number;
  /** How it swings about the mean: the same share of it, and how long one swing takes. */
  swing: number;
  swingMs: number;
  /** Bytes a second. */
  netBps: number;
  diskBps: number;
  /** MiB a second that it writes to, and how much memory that is at most. */
  dirtyMiBps: number;
  workingSetMiB: number;
  /** Between the ticks on its console; 0 for none. */
  tickMs: number;
  /** Whether it powers off when asked to. */
  obeys: boolean;
}

/** How long things take, in simulated milliseconds. */
export interface Timings {
  start: number;
  shutdown: number;
  save: number;
  prepare: number;
  finish: number;
  confirm: number;
  /** How long a call waits for another job on the same domain. */
  jobWait: number;
  keepaliveInterval: number;
  keepaliveCount: number;
}

export const usualTimings: Timings = {
  start: 120,
  shutdown: 600,
  save: 200,
  prepare: 60,
  finish: 10,
  confirm: 40,
  jobWait: 30_000,
  keepaliveInterval: 5_000,
  keepaliveCount: 5,
};
