// The files of the fleet: which host sees which, behind the same path the same file or another.
import { bytesOf } from './chance.ts';
import type { PoolSpec } from './specs.ts';

export interface File {
  inode: number;
  /** As the guest sees it, and as it takes place, in bytes. */
  capacity: number;
  allocation: number;
  /** What is written in it, as a name for all its bytes: the same name, the same bytes. */
  holds: string;
}

/** One file system, as large as it is; a shared one is the same to every host that mounts it. */
export interface Store {
  name: string;
  shared: boolean;
  /** Its kind and number, as `stat -f` shows them. */
  kind: string;
  id: string;
  capacity: number;
  /** By the path within it. */
  files: Map<string, File>;
}

export interface Mount {
  path: string;
  store: Store;
}

const GIB = 2 ** 30;

export class Storage {
  readonly #stores = new Map<string, Store>();
  readonly #mounts = new Map<string, Mount[]>();
  #inode = 1_000;

  mount(host: string, { path, store, gib = 500 }: PoolSpec): void {
    const mounts = this.#mounts.get(host) ?? [];
    this.#mounts.set(host, mounts);
    mounts.push({ path, store: this.#store(store ?? `local:${host}:${path}`, store !== undefined, gib * GIB) });
    mounts.sort((a, b) => b.path.length - a.path.length);
  }

  /** What is mounted there; null outside of all mounts. */
  mountOf(host: string, path: string): Mount | null {
    return this.#mounts.get(host)?.find((mount) => path === mount.path || path.startsWith(`${mount.path}/`)) ?? null;
  }

  file(host: string, path: string): File | null {
    const mount = this.mountOf(host, path);
    return mount?.store.files.get(path.slice(mount.path.length)) ?? null;
  }

  /** Made where it is not there; null outside of all mounts. */
  put(host: string, path: string, capacity: number, allocation = Math.round(capacity * 0.3)): File | null {
    const mount = this.mountOf(host, path);
    if (!mount) return null;
    const name = path.slice(mount.path.length);
    const file = mount.store.files.get(name) ?? { inode: ++this.#inode, capacity, allocation, holds: '' };
    mount.store.files.set(name, file);
    return file;
  }

  remove(host: string, path: string): boolean {
    const mount = this.mountOf(host, path);
    return mount?.store.files.delete(path.slice(mount.path.length)) ?? false;
  }

  /** Names, within a folder that is a mount. */
  list(host: string, path: string): { name: string; file: File }[] {
    const mount = this.mountOf(host, path);
    if (!mount) return [];
    return [...mount.store.files].map(([name, file]) => ({ name: name.slice(1), file }));
  }

  #store(name: string, shared: boolean, capacity: number): Store {
    const known = this.#stores.get(name);
    if (known) return known;
    const id = bytesOf('store', name).subarray(0, 8).toString('hex');
    const store = { name, shared, kind: shared ? 'nfs' : 'ext2/ext3', id, capacity, files: new Map<string, File>() };
    this.#stores.set(name, store);
    return store;
  }
}
