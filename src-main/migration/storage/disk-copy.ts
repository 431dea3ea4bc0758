// A shut-off VM's disks on their way: each file as it is, byte for byte, out of the source's storage and into the
// target's, by libvirt's own streams. Where a disk is a layer over others, those go along.
import { posix } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../../../contract/failure.ts';
import type { MigrationProgress } from '../../../contract/model.ts';
import { explain } from '../../fleet/explain.ts';
import type { Host } from '../../fleet/host.ts';
import {
  type Connection,
  ConnectionLost,
  Hole,
  LibvirtError,
  type LibvirtStream,
  type Vol,
} from '../../libvirt/index.ts';
import { borrowPool, factsAt, type VolumeFacts, volumeFacts, volumeIn } from './pools.ts';
import { noProgress } from '../progress.ts';
import { quote } from '../virsh.ts';
import { same, statted } from './shared-disks.ts';
import { type CopiedDisk, makeVolume, type MadeList, pathThere } from './volumes.ts';

export interface DiskCopyOptions {
  source: Host;
  target: Host;
  name: string;
  disks: readonly CopiedDisk[];
  /** Layers below the top one have to be on the target. */
  incremental: boolean;
  bandwidthMiBps: number | null;
  list: MadeList;
  clock: { sleep(ms: number): Promise<unknown>; now(): number };
  changed: () => void;
}

interface Layer {
  from: string;
  to: string;
  vol: Vol;
  facts: VolumeFacts;
  giveBack: () => Promise<void>;
}

const MIB = 2 ** 20;
/** Of libvirt's download and upload: what is empty is told as a hole. */
const SPARSE = 1;
const tellMs = 300;

export class DiskCopy {
  progress: MigrationProgress = noProgress;
  readonly #options: DiskCopyOptions;
  readonly #abort = new AbortController();
  #bandwidth: number | null;
  #beganMs = 0;
  #toldMs = 0;
  #total = 0;
  #done = 0;
  /** What was sent, holes not counted, since the limit was set. */
  #sent = 0;
  #sentSince = 0;

  constructor(options: DiskCopyOptions) {
    this.#options = options;
    this.#bandwidth = options.bandwidthMiBps;
  }

  /** It then rejects. */
  cancel(): void {
    this.#abort.abort();
  }

  limit(bandwidthMiBps: number): void {
    this.#bandwidth = bandwidthMiBps;
    this.#sent = 0;
    this.#sentSince = this.#options.clock.now();
  }

  /** @throws Failure; ConnectionLost where a host was lost meanwhile; anything once it was cancelled */
  async run(): Promise<void> {
    const { source, target, clock, name } = this.#options;
    const { signal } = this.#abort;
    this.#beganMs = this.#sentSince = clock.now();
    // Connections of their own: what flows over them would hold up every other answer.
    const from = await source.open({ keepalive: false });
    const to = await target.open({ keepalive: false }).catch((error: unknown) => {
      void from.close();
      throw error;
    });
    const layers: Layer[] = [];
    try {
      for (const disk of this.#options.disks) await this.#addLayers(from, to, disk, layers);
      this.#total = layers.reduce((sum, { facts }) => sum + facts.physical, 0);
      for (const layer of layers) {
        signal.throwIfAborted();
        await this.#copy(from, to, layer);
      }
      this.#tell(true);
    } catch (error) {
      if (error instanceof ConnectionLost || signal.aborted) throw error;
      throw explain(error, `${source.label} → ${target.label}`, `copying the disks of ${name}`);
    } finally {
      await Promise.all(layers.map(({ giveBack }) => giveBack().catch(() => {})));
      void from.close();
      void to.close();
    }
  }

  /** A disk and what it is laid over, as far as the target does not have that. */
  async #addLayers(from: Connection, to: Connection, disk: CopiedDisk, layers: Layer[]): Promise<void> {
    const { source, target, incremental } = this.#options;
    for (let path: string | null = disk.path; path !== null;) {
      const top = path === disk.path;
      const there: string = top ? pathThere(disk) : path;
      if (layers.some((layer) => layer.from === path)) return;
      const { pool, giveBack } = await borrowPool(source, from, path);
      const vol = await volumeIn(from, pool, posix.basename(path));
      const facts = vol && (await volumeFacts(from, vol));
      if (!vol || !facts) {
        await giveBack();
        throw new Failure('not-found', `${source.label} has no volume ${path}; was the disk of ${disk.target} moved?`);
      }
      if (!top) {
        const known = await this.#onTarget(to, path, facts);
        if (known || incremental) await giveBack();
        if (known) return;
        if (incremental) throw noBacking(target, disk.target, path);
      }
      layers.push({ from: path, to: there, vol, facts, giveBack });
      path = facts.backing?.path ?? null;
    }
  }

  /** Whether the target has the file below a layer already. @throws Failure where it is another one */
  async #onTarget(to: Connection, path: string, { physical }: VolumeFacts): Promise<boolean> {
    const { source, target } = this.#options;
    const there = await factsAt(to, path);
    const other = (why: string) => {
      const message = `${target.label} has another ${path}: ${why}. Delete or rename it there; Drover overwrites none.`;
      return new Failure('conflict', message);
    };
    if (there && there.physical !== physical) {
      throw other(`${there.physical} bytes long instead of ${physical}`);
    }
    const stats = (await Promise.all([source, target].map((host) => statted(host, [path])))).map((all) =>
      all?.get(path),
    );
    // Where even that is not known, making the volume is refused if there is something.
    if (!there && !stats[1]) return false;
    if (same(stats[0], stats[1])) return true;
    // What lies below a disk has to be the same to the last bit, and files of one length are made every day.
    const [here, over] = await Promise.all([source, target].map((host) => digest(host, path)));
    if (!here || !over) throw other('whether it is the same could not be found out');
    if (here !== over) throw other('its contents differ');
    return true;
  }

  async #copy(from: Connection, to: Connection, { vol, to: path, facts }: Layer): Promise<void> {
    const { target, list } = this.#options;
    // As long as the file is, so what is in it is its own format's business.
    const raw = { name: posix.basename(path), format: 'raw', capacity: facts.physical };
    const { pool, vol: copy } = await makeVolume(target, to, path, raw, list);
    const { down, up } = await this.#openStreams(from, to, vol, copy, facts.physical);
    const { signal } = this.#abort;
    await pipeline(down, this.#counter(), up, { signal });
    // libvirt itself looks at it again, too: then it takes no second one.
    await to.call('storage_pool_refresh', { pool }).catch(() => {});
    const made = await volumeFacts(to, copy);
    if (made.physical >= facts.physical) return; // a block device may be longer

    const message = `The copy of ${path} on ${target.label} is ${made.physical} bytes long instead of ${facts.physical}: is its file system full?`;
    throw new Failure('libvirt', message);
  }

  /** With holes told as such, where both daemons can. */
  async #openStreams(from: Connection, to: Connection, vol: Vol, copy: Vol, length: number) {
    const open = async (flags: number) => {
      const whole = { offset: 0n, length: 0n, flags };
      const down = await from.openStream('storage_vol_download', { vol, ...whole });
      try {
        return {
          down,
          up: await to.openStream('storage_vol_upload', { vol: copy, ...whole, length: BigInt(length) }),
        };
      } catch (error) {
        await closed(down);
        throw error;
      }
    };
    try {
      return await open(SPARSE);
    } catch (error) {
      if (!LibvirtError.is(error, 'invalid_arg', 'no_support', 'argument_unsupported', 'operation_unsupported')) {
        throw error;
      }
      return open(0);
    }
  }

  /** Counts what goes through, and holds it up to the limit. */
  #counter(): Transform {
    return new Transform({
      objectMode: true,
      highWaterMark: 2,
      transform: (chunk: Buffer | Hole, _encoding, done) => {
        const hole = chunk instanceof Hole;
        this.#done += chunk.length;
        if (!hole) this.#sent += chunk.length;
        this.#tell(false);
        const wait = hole ? 0 : this.#ahead();
        if (wait < 1) return done(null, chunk);
        void this.#options.clock.sleep(wait).then(() => done(null, chunk));
      },
    });
  }

  /** How many ms too early we are. */
  #ahead(): number {
    if (this.#bandwidth === null) return 0;
    return (this.#sent / (this.#bandwidth * MIB)) * 1000 - (this.#options.clock.now() - this.#sentSince);
  }

  #tell(now: boolean): void {
    const { clock, changed } = this.#options;
    const at = clock.now();
    if (!now && at - this.#toldMs < tellMs) return;
    this.#toldMs = at;
    const elapsedMs = Math.max(1, Math.round(at - this.#beganMs));
    const remaining = Math.max(0, this.#total - this.#done);
    const bps = Math.round((this.#done / elapsedMs) * 1000);
    this.progress = {
      ...noProgress,
      percent: this.#total === 0 ? 100 : Math.round((this.#done / this.#total) * 1000) / 10,
      dataTotalBytes: this.#total,
      dataProcessedBytes: this.#done,
      dataRemainingBytes: remaining,
      memoryBps: bps,
      elapsedMs,
      etaMs: bps > 0 ? Math.round((remaining / bps) * 1000) : null,
    };
    changed();
  }
}

const digestMs = 15 * 60_000;

/** Of a whole file; null where it cannot be told. */
async function digest(host: Host, path: string): Promise<string | null> {
  const ran = await host.shell(`sha256sum < ${quote(path)}`, { timeoutMs: digestMs });
  return ran?.code === 0 ? (/^[0-9a-f]{64}/.exec(ran.stdout)?.[0] ?? null) : null;
}

export const noBacking = (target: Host, disk: string, path: string) =>
  new Failure(
    'refused',
    `The disk ${disk} is a layer over ${path}, and that is not on ${target.label}. Put the same file there, or copy the disk in full (storage “copy”).`,
  );

function closed(stream: LibvirtStream): Promise<void> {
  return new Promise((resolve) => {
    stream.once('close', () => resolve());
    stream.on('error', () => {});
    stream.destroy();
  });
}
