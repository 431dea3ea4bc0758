// A serial console's stream from one host, on a libvirt connection of its own: pausing it stalls nothing else.
import { Failure } from '../../contract/failure.ts';
import type { Uuid } from '../../contract/model.ts';
import { explain } from '../fleet/explain.ts';
import type { Host } from '../fleet/host.ts';
import { consoleFlags, type Connection, LibvirtError, type LibvirtStream, PeerGone } from '../libvirt/index.ts';

/** Typed, and not taken by the guest: more is refused rather than kept. */
const unsentMax = 256 * 1024;

export interface SourceOptions {
  host: Host;
  uuid: Uuid;
  name: string;
  /** An alias such as `serial0`; null for the first one. */
  target: string | null;
  takeover: boolean;
}

/** What a line needs of it. */
export type ConsoleSource = Pick<Source, 'host' | 'listen' | 'write' | 'pause' | 'close'>;

export class Source {
  readonly host: Host;
  readonly #stream: LibvirtStream;
  readonly #connection: Connection;
  readonly #name: string;
  #over = false;

  /** @throws Failure `conflict` where another program holds the console, `libvirt`, `unreachable` */
  static async open({ host, uuid, name, target, takeover }: SourceOptions): Promise<Source> {
    const connection = await host.open({ keepalive: false });
    try {
      const stream = await connection.openStream('domain_open_console', {
        dom: { name, uuid },
        device: target,
        flags: takeover ? consoleFlags.force : 0,
      });
      return new Source(host, name, connection, stream);
    } catch (error) {
      void connection.close();
      if (LibvirtError.is(error, 'operation_failed')) {
        throw new Failure(
          'conflict',
          `Another program has the console of ${name} on ${host.label} open. Close it there, or take it over.`,
          {
            number: error.code,
            domain: error.domain,
          },
        );
      }
      throw explain(error, host.label, `opening the console of ${name}`);
    }
  }

  private constructor(host: Host, name: string, connection: Connection, stream: LibvirtStream) {
    this.host = host;
    this.#name = name;
    this.#connection = connection;
    this.#stream = stream;
  }

  /** Call once, in the turn after `open`. `end` comes once: null for its plain end, as when the guest stops. */
  listen(on: { data: (bytes: Buffer) => void; end: (error: Failure | null) => void }): void {
    const end = (error: unknown) => {
      if (this.#over) return;
      this.#over = true;
      void this.#connection.close();
      on.end(error === null ? null : this.#explained(error));
    };
    this.#stream.on('data', (bytes: Buffer) => {
      if (!this.#over) on.data(bytes);
    });
    this.#stream.on('end', () => end(null));
    this.#stream.on('close', () => end(null));
    this.#stream.on('error', end);
  }

  /** @throws Failure `conflict` when the guest does not take what is typed */
  write(bytes: Uint8Array): void {
    if (this.#over) return;
    if (this.#stream.writableLength + bytes.length > unsentMax) {
      throw new Failure(
        'conflict',
        `${this.#name} does not read its console now, so nothing more can be typed into it.`,
      );
    }
    this.#stream.write(bytes);
  }

  pause(paused: boolean): void {
    if (this.#over) return;
    if (paused) this.#stream.pause();
    else this.#stream.resume();
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stream.on('error', () => {});
    this.#stream.destroy();
    void this.#connection.close();
  }

  #explained(error: unknown): Failure {
    // libvirt ends the stream so when somebody else takes the console by force.
    if (LibvirtError.is(error, 'rpc')) {
      return new Failure('conflict', `Another program took over the console of ${this.#name} on ${this.host.label}.`);
    }
    if (error instanceof PeerGone) {
      return new Failure(
        'unreachable',
        `The connection to ${this.host.label} has ended, and with it the console of ${this.#name}. Open it again when the host is back.`,
      );
    }
    return explain(error, this.host.label, `showing the console of ${this.#name}`);
  }
}
