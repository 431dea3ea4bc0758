// Every call there is, one entry each: what it does, its check, its result, and its door in the
// automation API. The window and the API make the same calls; `src-main/api` carries them out.
import { z } from 'zod';
import * as check from './check.ts';
import type {
  Adopted,
  DemoView,
  Diagnostics,
  DomainHappening,
  DomainHistory,
  DomainView,
  EvacuationPlan,
  Health,
  HostView,
  MigrationOptions,
  MigrationView,
  Neighbour,
  Preferences,
  Preflight,
  Question,
  Remedied,
  ScanForecast,
  ScanView,
  Schedules,
  SnapshotList,
  SnapshotView,
  Suggestions,
} from './model.ts';
import type { Snapshot } from './events.ts';

/** `METHOD /path` below `/api/v1`; `:name` stands for an argument of that name. */
export type Door = `${'GET' | 'POST' | 'PATCH' | 'DELETE'} /${string}`;

export interface Call<A extends z.ZodType, R> {
  /** One sentence for the API's description. */
  readonly does: string;
  /** The arguments, always one object; unknown fields are refused. */
  readonly args: A;
  readonly door: Door | null;
  /** The HTTP status of success. */
  readonly status: number;
  /** Never read: carries the result's type. */
  readonly result?: R;
}

const none = z.strictObject({});

/** Two steps, so that the result's type is said and the arguments' is inferred. */
const call =
  <R>() =>
  <A extends z.ZodType = typeof none>(does: string, door: Door | null, args?: A, status = 200): Call<A, R> => ({
    does,
    door,
    args: args ?? (none as unknown as A),
    status,
  });

const { id, host, domain, flag } = check;
const aDomain = '/hosts/:hostId/domains/:uuid';
const aConsole = z.strictObject({ consoleId: id });
const aMigration = z.strictObject({ id });
const aRoute = { uuid: check.uuid, from: id, options: check.migrationOptions.optional() };

export const calls = {
  'fleet.snapshot': call<Snapshot>()('Everything at once, with the number of the last delta it holds.', null),
  'fleet.look': call<null>()(
    'Which hosts this window shows now: their statistics come often, whatever the size of the fleet.',
    null,
    z.strictObject({ hosts: z.array(id).max(100) }),
  ),
  'fleet.health': call<Health>()('Whether Drover is up; needs no token.', 'GET /health'),

  'fleet.diagnostics': call<Diagnostics>()(
    'What can be sent to who helps: versions, states, errors and the last of the log, without names and secrets.',
    'GET /diagnostics',
  ),

  'hosts.list': call<HostView[]>()('All hosts.', 'GET /hosts'),
  'hosts.get': call<HostView>()('One host.', 'GET /hosts/:id', host),
  'hosts.add': call<HostView>()(
    'Adds a host and starts connecting.',
    'POST /hosts',
    z.strictObject({ uri: check.uri, label: check.label.optional(), trust: check.fingerprint.optional() }),
    201,
  ),
  'hosts.trust': call<HostView>()(
    'Pins the host key that was shown; a changed one needs `replace`.',
    'POST /hosts/:id/trust',
    z.strictObject({ id, fingerprint: check.fingerprint, replace: z.boolean().optional() }),
  ),
  'hosts.connect': call<HostView>()('Connects now.', 'POST /hosts/:id/connect', host),
  'hosts.disconnect': call<HostView>()('Disconnects, and stays so.', 'POST /hosts/:id/disconnect', host),
  'hosts.update': call<HostView>()(
    'Renames a host, or puts it into a group; `group` null takes it out of its group.',
    'PATCH /hosts/:id',
    z.strictObject({ id, label: check.label.optional(), group: check.group.nullable().optional() }),
  ),
  'hosts.remove': call<{ removed: true; id: string }>()(
    'Forgets a host; its VMs are not touched.',
    'DELETE /hosts/:id',
    host,
  ),
  'hosts.domains': call<DomainView[]>()('The VMs of one host.', 'GET /hosts/:id/domains', host),
  'hosts.evacuate': call<EvacuationPlan>()(
    'Plans, and unless `dryRun` starts, moving every VM off a host.',
    'POST /hosts/:id/evacuate',
    z.strictObject({
      id,
      to: z.array(id).min(1).optional(),
      parallel: z.number().int().min(1).max(64).optional(),
      options: check.migrationOptions.optional(),
      dryRun: z.boolean().optional(),
    }),
  ),

  'domains.list': call<DomainView[]>()(
    'Every VM of the fleet, filtered by host, state, tag and part of the name.',
    'GET /domains',
    z.strictObject({
      host: id.optional(),
      state: check.domainState.optional(),
      tag: check.tag.optional(),
      q: z.string().max(200).optional(),
    }),
  ),
  'domains.get': call<DomainView>()('One VM.', `GET ${aDomain}`, domain),
  'domains.xml': call<{ xml: string }>()(
    'Its live XML, or with `inactive` the persistent one; with `secure` the passwords of its screens stand in it.',
    `GET ${aDomain}/xml`,
    domain.extend({ inactive: flag.optional(), secure: flag.optional() }),
  ),
  'domains.history': call<DomainHistory>()(
    'What it used over the last hours, a point a minute, wherever it ran.',
    `GET ${aDomain}/history`,
    domain,
  ),
  'domains.events': call<{ events: DomainHappening[] }>()(
    'What happened to it since Drover was started, wherever it ran; the newest first, 100 at most.',
    `GET ${aDomain}/events`,
    domain,
  ),
  'domains.redefine': call<DomainView>()(
    'Replaces its persistent XML; `was` is what was edited (`inactive`, `secure`), and where that is no longer so nothing is written.',
    `POST ${aDomain}/xml`,
    domain.extend({ xml: check.xml, was: check.xml, validate: z.boolean().optional() }),
  ),
  'domains.act': call<DomainView>()(
    'Lifecycle; answers when libvirt has taken it.',
    `POST ${aDomain}/:action`,
    domain.extend({ action: check.action }),
  ),
  'domains.update': call<DomainView>()(
    'Changes whether it starts with its host, and its tags: those given take the place of all that it had.',
    `PATCH ${aDomain}`,
    domain.extend({ autostart: z.boolean().optional(), tags: check.tags.optional() }),
  ),
  'domains.define': call<DomainView>()(
    'Defines a VM from its XML.',
    'POST /hosts/:id/domains',
    z.strictObject({ id, xml: check.xml }),
    201,
  ),
  'domains.undefine': call<{ removed: true; hostId: string; uuid: string }>()(
    'Forgets a VM that is shut off; with `storage` its disks go too, with `nvram` its firmware variables.',
    `DELETE ${aDomain}`,
    domain.extend({ storage: flag.optional(), nvram: flag.optional() }),
  ),

  'snapshots.list': call<SnapshotList>()('Its snapshots, the oldest first.', `GET ${aDomain}/snapshots`, domain),
  'snapshots.create': call<SnapshotView>()(
    'Makes a snapshot; without `diskOnly` with the memory of a VM that runs. Answers when it is made.',
    `POST ${aDomain}/snapshots`,
    domain.extend({
      name: check.newSnapshot,
      description: z.string().max(2000).optional(),
      diskOnly: z.boolean().optional(),
    }),
    201,
  ),
  'snapshots.revert': call<DomainView>()(
    'Goes back to a snapshot: what came after it is lost. With `force` also where libvirt warns.',
    `POST ${aDomain}/snapshots/:name/revert`,
    domain.extend({ name: check.snapshot, force: z.boolean().optional() }),
  ),
  'snapshots.delete': call<{ removed: true; hostId: string; uuid: string; name: string }>()(
    'Deletes a snapshot, with `children` also those made upon it; what the VM has now stays.',
    `DELETE ${aDomain}/snapshots/:name`,
    domain.extend({ name: check.snapshot, children: flag.optional() }),
  ),

  'migrations.preflight': call<Preflight | Record<string, Preflight>>()(
    'Whether a VM can go to a host, and why not; without `to`, for every other host.',
    'POST /migrations/preflight',
    z.strictObject({ ...aRoute, to: id.optional() }),
  ),
  'migrations.remedy': call<Remedied>()(
    'Does what a check of a preflight offers, and checks again; answers with the options to start the migration by.',
    'POST /migrations/preflight/remedy',
    z.strictObject({ ...aRoute, to: id, remedy: z.string().min(1).max(1000) }),
  ),
  'migrations.start': call<MigrationView>()(
    'Starts a migration.',
    'POST /migrations',
    z.strictObject({ ...aRoute, to: id, batch: check.batch.optional() }),
    202,
  ),
  'migrations.list': call<MigrationView[]>()('All migrations, newest first.', 'GET /migrations'),
  'migrations.options': call<{ name: string; default: unknown; values?: readonly string[]; does: string }[]>()(
    'The options of a migration with their defaults.',
    'GET /migrations/options',
  ),
  'migrations.get': call<MigrationView>()('One migration.', 'GET /migrations/:id', aMigration),
  'migrations.cancel': call<MigrationView>()(
    'Cancels; the VM stays at its source.',
    'POST /migrations/:id/cancel',
    aMigration,
  ),
  'migrations.postcopy': call<MigrationView>()('Switches to post-copy.', 'POST /migrations/:id/postcopy', aMigration),
  'migrations.update': call<MigrationView>()(
    'Changes its limits while it runs.',
    'PATCH /migrations/:id',
    aMigration.extend({
      bandwidthMiBps: z.number().int().positive().max(8_000_000).optional(),
      maxDowntimeMs: z.number().int().positive().max(2_000_000).optional(),
    }),
  ),
  'migrations.resolve': call<MigrationView>()(
    'Carries out one of its actions.',
    'POST /migrations/:id/resolve',
    aMigration.extend({ action: id }),
  ),

  'scans.start': call<ScanView>()('Starts a sweep.', 'POST /scans', check.scan, 202),
  'scans.get': call<ScanView>()('One sweep.', 'GET /scans/:id', z.strictObject({ id })),
  'scans.cancel': call<ScanView>()(
    'Cancels a sweep; what was found is kept.',
    'DELETE /scans/:id',
    z.strictObject({ id }),
  ),
  'scans.update': call<ScanView>()(
    'Lets a sweep go on while a host of its range migrates, or wait.',
    'PATCH /scans/:id',
    z.strictObject({ id, whileMigrating: z.boolean() }),
  ),
  'scans.forecast': call<ScanForecast>()(
    'How many connections a sweep would make and how long it would take; makes none.',
    'POST /scans/forecast',
    check.scan,
  ),
  'schedules.get': call<Schedules>()('When each pass goes by itself.', 'GET /schedules'),
  'schedules.set': call<Schedules>()('Changes when each pass goes by itself.', 'PATCH /schedules', check.schedules),
  'schedules.run': call<ScanView>()(
    'Runs a pass now, as its schedule would.',
    'POST /schedules/:pass/run',
    z.strictObject({ pass: check.scanPass }),
    202,
  ),
  'neighbours.list': call<Neighbour[]>()('What all sweeps so far know.', 'GET /neighbours'),
  'neighbours.adopt': call<Adopted>()(
    'Adds what was found as hosts, their keys approved by fingerprint.',
    'POST /neighbours/adopt',
    z.strictObject({
      addresses: z.array(z.string().min(1).max(255)).min(1).max(10_000),
      user: z.string().min(1).max(255).optional(),
      keyfile: z.string().min(1).max(4096).optional(),
      trust: z.record(z.string(), check.fingerprint),
    }),
  ),

  'neighbours.suggestions': call<Suggestions>()(
    'Hosts that known_hosts, ~/.ssh/config and the neighbour table name, without any sweep; with `mdns`, also who answers one mDNS question.',
    'GET /neighbours/suggestions',
    z.strictObject({ mdns: check.flag.optional() }),
  ),

  'questions.answer': call<{ taken: boolean }>()(
    'Answers what a login asked; null cancels it. `keep`: in the system’s keychain, where the question may be kept.',
    null,
    z.strictObject({ id, answers: z.array(z.string().max(10_000)).max(32).nullable(), keep: check.flag.optional() }),
  ),
  'questions.forget': call<{ forgotten: number }>()('Forgets all that is kept in the system’s keychain.', null),
  'questions.list': call<Question[]>()('What logins are asking now.', null),

  'consoles.open': call<{ consoleId: string }>()(
    'Opens a serial console; its bytes come as `console.data`.',
    null,
    domain.extend({ target: id.optional(), takeover: z.boolean().optional() }),
  ),
  'consoles.graphics': call<{ consoleId: string }>()(
    'Opens a graphical console; what comes and goes is RFB, as its VNC server speaks it.',
    null,
    domain.extend({ target: id.optional() }),
  ),
  'consoles.write': call<null>()(
    'Types into a console.',
    null,
    aConsole.extend({ bytes: z.instanceof(Uint8Array).refine((bytes) => bytes.length <= 65_536, 'is over 64 KiB') }),
  ),
  'consoles.ack': call<null>()(
    'Says how many bytes were shown, so that more may come.',
    null,
    aConsole.extend({ bytes: z.number().int().nonnegative() }),
  ),
  'consoles.close': call<null>()('Closes a console.', null, aConsole),

  'demo.start': call<DemoView>()('Adds the simulated demo fleet.', 'POST /demo'),
  'demo.stop': call<DemoView>()('Takes the demo fleet away again.', 'DELETE /demo'),
  'demo.faults': call<{ faults: unknown[] }>()('The faults that are set on the demo fleet.', 'GET /demo/faults'),
  'demo.fault': call<{ faults: unknown[] }>()(
    'Sets a named fault on the demo fleet, e.g. `{"kind":"never-answers","host":"fra-kvm01"}`.',
    'POST /demo/faults',
    z.looseObject({ kind: z.string().min(1).max(100) }),
  ),
  'demo.clear': call<{ faults: unknown[] }>()(
    'Clears the faults of a kind, or all.',
    'DELETE /demo/faults',
    z.strictObject({ kind: z.string().min(1).max(100).optional() }),
  ),

  'preferences.get': call<Preferences>()('The window’s own settings.', null),
  'preferences.set': call<Preferences>()(
    'Changes some of the window’s own settings.',
    null,
    z.strictObject({
      theme: z.enum(['system', 'light', 'dark']).optional(),
      window: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
} as const;

export type Calls = typeof calls;
export type CallName = keyof Calls;
/** What a caller says. */
export type ArgsIn<N extends CallName> = z.input<Calls[N]['args']>;
/** What the carrier-out gets: checked, defaults and transforms applied. */
export type Args<N extends CallName> = z.output<Calls[N]['args']>;
export type Result<N extends CallName> = Calls[N] extends Call<z.ZodType, infer R> ? R : never;

export type { MigrationOptions };
