// How a call is carried out: arguments as the table reads them in, the result as it writes them out, or a Refusal.
import type { ArgsReadOf, ProcedureName, ResultWrittenOf } from '../../src-main/libvirt/index.ts';
import type { Client } from '../client.ts';
import type { Daemon } from '../daemon.ts';

/** Who calls, where, and under which serial. */
export interface At {
  client: Client;
  daemon: Daemon;
  serial: number;
}

export type Handler<N extends ProcedureName> = (
  args: ArgsReadOf<N>,
  at: At,
) => ResultWrittenOf<N> | Promise<ResultWrittenOf<N>>;

export type Handlers = { [N in ProcedureName]?: Handler<N> };
