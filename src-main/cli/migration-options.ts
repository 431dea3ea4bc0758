// A migration's options as they are said on the command line, each with its name in the contract.
import { readFileSync } from 'node:fs';
import type { ArgsIn } from '../../contract/calls.ts';
import { migrationModes, storageModes, transports, type MigrationOptions } from '../../contract/model.ts';
import { UsageError, type Option, type Values } from './command.ts';

export type GivenOptions = NonNullable<ArgsIn<'migrations.start'>['options']>;

type Kind = 'word' | 'number' | 'on' | 'off' | 'file';

const said: Record<string, Option & { field: keyof MigrationOptions; kind: Kind }> = {
  mode: {
    field: 'mode',
    kind: 'word',
    value: 'MODE',
    choices: migrationModes,
    does: 'live, suspend (paused while it moves), offline (a shut-off VM’s definition) or cold (with its disks); by the VM’s state',
  },
  transport: {
    field: 'transport',
    kind: 'word',
    value: 'WAY',
    choices: transports,
    does: 'which way the memory goes; auto takes what is proved to work',
  },
  storage: {
    field: 'storage',
    kind: 'word',
    value: 'HOW',
    choices: storageModes,
    does: 'whether disks are copied (shared: no)',
  },
  transient: { field: 'persistent', kind: 'off', does: 'do not define it on the target' },
  'keep-source': { field: 'undefineSource', kind: 'off', does: 'keep its definition on the source, too' },
  'auto-converge': {
    field: 'autoConverge',
    kind: 'on',
    does: 'slow the guest down when it dirties memory faster than it moves',
  },
  'post-copy': { field: 'postCopy', kind: 'on', does: 'allow switching to post-copy while it runs' },
  compressed: { field: 'compressed', kind: 'on', does: 'compress memory pages' },
  connections: { field: 'parallel', kind: 'number', value: 'N', does: 'this many connections for the memory' },
  unsafe: { field: 'unsafe', kind: 'on', does: 'migrate even where libvirt fears for the disks' },
  tls: { field: 'tls', kind: 'on', does: 'encrypt the memory’s way by the hosts’ certificates' },
  'migrate-uri': {
    field: 'migrateUri',
    kind: 'word',
    value: 'URI',
    does: 'where the source reaches the target, e.g. tcp://10.0.0.2',
  },
  'listen-address': {
    field: 'listenAddress',
    kind: 'word',
    value: 'ADDRESS',
    does: 'the target’s address to listen on',
  },
  bandwidth: { field: 'bandwidthMiBps', kind: 'number', value: 'MIB', does: 'at most so many MiB a second' },
  'max-downtime': {
    field: 'maxDowntimeMs',
    kind: 'number',
    value: 'MS',
    does: 'how long the guest may stand still at the switch-over',
  },
  'dest-name': { field: 'destName', kind: 'word', value: 'NAME', does: 'its name on the target' },
  'dest-xml': { field: 'destXml', kind: 'file', value: 'FILE', completes: 'file', does: 'its XML on the target' },
  force: { field: 'force', kind: 'on', does: 'start in spite of a check that says no' },
};

export const migrationOptions: Readonly<Record<string, Option>> = said;
export const saidFields = Object.values(said).map(({ field }) => field);

/** What was said, as the contract takes it. @throws UsageError */
export function givenOptions(args: Values): GivenOptions {
  const given: Record<string, unknown> = {};
  for (const [name, { field, kind }] of Object.entries(said)) {
    switch (kind) {
      case 'on':
      case 'off':
        if (args.flag(name)) given[field] = kind === 'on';
        break;
      case 'number':
        if (args.text(name) !== undefined) given[field] = args.number(name);
        break;
      case 'word':
        if (args.text(name) !== undefined) given[field] = args.text(name);
        break;
      case 'file':
        if (args.text(name) !== undefined) given[field] = read(name, args.text(name) ?? '');
        break;
      default:
        kind satisfies never;
    }
  }
  return given;
}

function read(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--${name}: ${(error as Error).message}.`);
  }
}
