// Small run-time checks that the calls are made of. A call's arguments are one plain object.
import { z } from 'zod';
import { domainStates, lifecycleActions, migrationModes, scanPasses, storageModes, transports } from './model.ts';
import { MOST_PORTS, parsePorts } from './ports.ts';

export const id = z.string().min(1).max(200);
export const uuid = z
  .string()
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'is no UUID')
  .transform((text) => text.toLowerCase());
export const label = z.string().trim().min(1).max(200);
/** The folder of a host. */
export const group = z.string().trim().min(1).max(100);
/** One word, so that it is found by `tag:web` and stands in a list with commas. */
export const tag = z
  .string()
  .regex(/^[^\s,"\p{C}]{1,64}$/u, 'is no tag: one word of at most 64 signs, without , and "');
/** Each once, however it is written. */
export const tags = z
  .array(tag)
  .max(50)
  .transform((all) => [...new Map(all.map((one) => [one.toLowerCase(), one])).values()]);
export const uri = z.string().trim().min(1).max(2000);
export const fingerprint = z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}=?$/, 'is no SHA256 fingerprint');
export const xml = z.string().min(1).max(4_000_000);
/** Query strings carry `1` and `true` for what JSON says as true. */
export const flag = z.union([
  z.boolean(),
  z.enum(['1', 'true', '0', 'false', '']).transform((text) => text === '1' || text === 'true'),
]);

export const host = z.strictObject({ id });
export const domain = z.strictObject({ hostId: id, uuid });
/** Of a snapshot that is there; libvirt takes fewer for a new one. */
export const snapshot = z.string().min(1).max(255);
export const newSnapshot = snapshot.regex(
  /^(?!\.)[^/\n]+$/,
  'is no name for a snapshot: no “/”, and no “.” at its beginning',
);
export const action = z.enum(lifecycleActions);
export const domainState = z.enum(domainStates);

const limit = z.number().int().positive();

/** What a caller may say of a migration; what is left out takes its default. */
export const migrationOptions = z.strictObject({
  mode: z.enum(migrationModes).optional(),
  transport: z.enum(transports).optional(),
  storage: z.enum(storageModes).optional(),
  persistent: z.boolean().optional(),
  undefineSource: z.boolean().optional(),
  autoConverge: z.boolean().optional(),
  postCopy: z.boolean().optional(),
  compressed: z.boolean().optional(),
  parallel: limit.max(255).nullable().optional(),
  unsafe: z.boolean().optional(),
  tls: z.boolean().optional(),
  migrateUri: z.string().min(1).max(1000).nullable().optional(),
  listenAddress: z.string().min(1).max(255).nullable().optional(),
  bandwidthMiBps: limit.max(8_000_000).nullable().optional(),
  maxDowntimeMs: limit.max(2_000_000).nullable().optional(),
  destName: z.string().min(1).max(255).nullable().optional(),
  destXml: xml.nullable().optional(),
  force: z.boolean().optional(),
});

/** Made up by the caller: the same for each of the migrations that belong together. */
export const batch = z.strictObject({
  id,
  title: z.string().min(1).max(300),
  size: z.number().int().min(1).max(100_000),
});

const port = z.number().int().min(1).max(65535);
const ports = z.union([
  z.array(port).min(1).max(MOST_PORTS),
  z
    .string()
    .max(1000)
    .transform((text, context) => {
      const parsed = parsePorts(text);
      if ('ports' in parsed) return parsed.ports;
      context.addIssue({ code: 'custom', message: parsed.problem });
      return z.NEVER;
    }),
]);

export const scan = z.strictObject({
  cidr: z.union([z.string().min(1).max(10_000), z.array(z.string().min(1).max(200)).min(1).max(10_000)]),
  pass: z.enum(scanPasses).optional(),
  /** Numbers, or as people write them: `22, 2222, 5900-5910`. */
  ports: ports.optional(),
  timeoutMs: z.number().int().min(10).max(60_000).optional(),
  /** Connections a second. */
  rate: z.number().int().min(1).max(100_000).optional(),
  identify: z
    .strictObject({ user: z.string().min(1).max(255).optional(), keyfile: z.string().min(1).max(4096).optional() })
    .optional(),
  confirm: z.boolean().optional(),
  /** Go on while a host of the range migrates. */
  whileMigrating: z.boolean().optional(),
});

const passSchedule = z.strictObject({
  on: z.boolean().optional(),
  everyMinutes: z.number().int().min(1).max(43_200).optional(),
});

/** Each part that is named changes; the rest stays. */
export const schedules = z.strictObject({
  cidr: z.string().max(10_000).nullable().optional(),
  passes: z
    .strictObject({
      full: passSchedule.optional(),
      silent: passSchedule.optional(),
      'non-libvirt': passSchedule.optional(),
      known: passSchedule.optional(),
    })
    .optional(),
  confirm: z.boolean().optional(),
});
export const scanPass = z.enum(scanPasses);
