// The serial console of a running domain, as one connection at a time has it: a stream.
import { packetStatus } from '../src-main/libvirt/index.ts';
import type { Client } from './client.ts';
import type { Guest } from './guest.ts';
import { refuse } from './refusal.ts';

/** What may wait for a slow reader; beyond that the guest's words are lost, as those of a terminal that nobody reads. */
const UNSENT_MAX = 1 << 20;

export class Console {
  readonly #client: Client;
  readonly #serial: number;
  readonly #guest: Guest;
  readonly #over: () => void;
  #ended = false;

  constructor(client: Client, serial: number, guest: Guest, over: () => void) {
    this.#client = client;
    this.#serial = serial;
    this.#guest = guest;
    this.#over = over;
    guest.listen((bytes) => {
      if (client.unsent < UNSENT_MAX) client.streamData(serial, bytes);
    });
    client.openStream(serial, {
      data: (bytes) => guest.shell.type(bytes.toString('latin1')),
      /** A guest that stands still takes nothing. */
      takes: () => guest.running,
      finish: () => {
        this.#leave();
        client.streamEnd(serial, packetStatus.ok);
      },
      lost: () => this.#leave(),
    });
  }

  /** The guest has stopped: nothing more comes. The client finishes. */
  end(): void {
    if (this.#ended) return;
    this.#leave();
    this.#client.streamData(this.#serial, Buffer.alloc(0));
  }

  /** Somebody else has taken it by force. */
  takenOver(): void {
    if (this.#ended) return;
    this.#leave();
    this.#client.streamError(this.#serial, refuse.none('rpc', 'I/O failure'));
  }

  #leave(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#guest.listen(null);
    this.#over();
  }
}
