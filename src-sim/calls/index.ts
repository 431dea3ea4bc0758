// All calls that a simulated daemon carries out.
import type { ProcedureName } from '../../src-main/libvirt/index.ts';
import { connection } from './connection.ts';
import { definitions } from './definitions.ts';
import { domains } from './domains.ts';
import { eventCalls } from './events.ts';
import type { At, Handlers } from './handlers.ts';
import { jobs } from './jobs.ts';
import { lifecycleCalls } from './lifecycle.ts';
import { metadataCalls } from './metadata.ts';
import { migrationCalls } from './migration.ts';
import { networks } from './networks.ts';
import { node } from './node.ts';
import { snapshotCalls } from './snapshots.ts';
import { statsCalls } from './stats.ts';
import { storageCalls } from './storage.ts';

const all: Handlers = {
  ...connection,
  ...node,
  ...domains,
  ...definitions,
  ...metadataCalls,
  ...lifecycleCalls,
  ...statsCalls,
  ...jobs,
  ...migrationCalls,
  ...snapshotCalls,
  ...storageCalls,
  ...networks,
  ...eventCalls,
};

/** Changes nothing, so a read-only connection may call it. */
const reads = /_(get|list|lookup|is|supports|compare|baseline|event|open|close|has)_|^(auth_|connect_|node_)|_stats$/;
const writes = new Set<ProcedureName>(['domain_open_console', 'domain_open_channel']);

export const mayOnRead = (name: ProcedureName) => reads.test(name) && !writes.has(name);

export const handlerOf = (name: ProcedureName) => all[name] as ((args: never, at: At) => unknown) | undefined;
