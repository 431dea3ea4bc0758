// What Drover keeps between runs: the hosts, the window's preferences, and documents that other rooms hand it.
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { HostId, Preferences } from '../../contract/model.ts';
import { Document } from './document.ts';
import { defaultDataDir, lock, makePrivate } from './data-dir.ts';

export interface SavedHost {
  id: HostId;
  uri: string;
  label: string;
  group?: string | undefined;
  /** The key last seen there, to be shown while the host does not answer. */
  hostKey?: { algorithm: string; fingerprint: string } | undefined;
}

const savedHosts: z.ZodType<SavedHost[]> = z.array(
  z.object({
    id: z.string().min(1),
    uri: z.string().min(1),
    label: z.string(),
    group: z.string().optional(),
    hostKey: z.object({ algorithm: z.string(), fingerprint: z.string() }).optional(),
  }),
);

const preferences: z.ZodType<Preferences> = z.object({
  theme: z.enum(['system', 'light', 'dark']),
  window: z.record(z.string(), z.unknown()),
});

export interface SettingsOptions {
  /** Null: the platform's folder. */
  dataDir: string | null;
  warn: (sentence: string) => void;
}

/** Something that a room keeps: it knows its form, the settings know the disk. */
export interface Store {
  /** Undefined where nothing was kept yet. */
  load(): Promise<unknown>;
  /** Resolves at once; reaches the disk a little later, or by `flush`. */
  save(data: unknown): Promise<void>;
}

export class Settings {
  readonly dir: string;
  readonly hosts: Document<SavedHost[]>;
  readonly preferences: Document<Preferences>;
  readonly #warn: SettingsOptions['warn'];
  readonly #documents = new Map<string, Promise<Document<unknown>>>();
  readonly #unlock: () => Promise<void>;

  private constructor(
    dir: string,
    hosts: Document<SavedHost[]>,
    preferences: Document<Preferences>,
    warn: SettingsOptions['warn'],
    unlock: () => Promise<void>,
  ) {
    this.dir = dir;
    this.hosts = hosts;
    this.preferences = preferences;
    this.#warn = warn;
    this.#unlock = unlock;
  }

  /** @throws Failure where the folder cannot be used, e.g. `conflict` for one that another running Drover has */
  static async open({ dataDir, warn }: SettingsOptions): Promise<Settings> {
    const dir = resolve(dataDir ?? defaultDataDir());
    await makePrivate(dir);
    const unlock = await lock(dir);
    try {
      const [hosts, prefs] = await Promise.all([
        Document.open({ path: join(dir, 'hosts.json'), version: 1, schema: savedHosts, fallback: [], warn }),
        Document.open({
          path: join(dir, 'preferences.json'),
          version: 1,
          schema: preferences,
          fallback: { theme: 'system', window: {} },
          warn,
        }),
      ]);
      return new Settings(dir, hosts, prefs, warn, unlock);
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  /** A file of this folder that another room reads and writes itself, e.g. `known_hosts`. */
  path(name: string): string {
    return join(this.dir, name);
  }

  /** A document of another form, `NAME.json`; opened once, by whoever asks first. */
  document<T>(name: string, schema: z.ZodType<T>, fallback: T, version = 1): Promise<Document<T>> {
    const there = this.#documents.get(name);
    if (there) return there as Promise<unknown> as Promise<Document<T>>;
    const path = this.path(`${name}.json`);
    const opened = Document.open({ path, version, schema, fallback, warn: this.#warn });
    this.#documents.set(name, opened as Promise<unknown> as Promise<Document<unknown>>);
    opened.catch(() => this.#documents.delete(name));
    return opened;
  }

  /** A document whose form only its room knows. */
  store(name: string): Store {
    const document = () => this.document<unknown>(name, z.unknown(), undefined);
    return {
      load: async () => (await document()).value,
      save: async (data) => (await document()).set(data),
    };
  }

  async flush(): Promise<void> {
    const others = await Promise.all(this.#documents.values());
    await Promise.all([this.hosts, this.preferences, ...others].map((one) => one.flush()));
  }

  /** Writes what is left and lets the folder go. */
  async close(): Promise<void> {
    await this.flush();
    await this.#unlock();
  }
}
