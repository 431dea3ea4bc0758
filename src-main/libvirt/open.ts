// How a connection begins: who we are, which driver, what it can do. As few round trips as that takes.
import { features } from './constants.ts';
import type { Feature } from './constants.ts';
import { AuthFailed, errorDomains, LibvirtError } from './errors.ts';
import type { CallArgs } from './connection.ts';
import type { CallName, ResultOf } from './procedures.ts';

type Ask = <N extends CallName>(name: N, ...rest: CallArgs<N>) => Promise<ResultOf<N>>;

export interface OpenOptions {
  uri: string;
  readOnly: boolean;
  keepalive: boolean;
  timeoutMs: number | undefined;
}

const authTypes = { none: 0, sasl: 1, polkit: 2 } as const;
const READ_ONLY = 1;
const OPEN_TIMEOUT_MS = 30_000;

/** What is asked once the driver is open; the rest of `features` is of no use to a remote client. */
const asked: Feature[] = [
  'migration_p2p',
  'migration_v3',
  'migrate_change_protection',
  'xml_migratable',
  'migration_offline',
  'migration_params',
  'remote_event_callback',
  'remote_close_callback',
];

/** Authenticates and opens. @throws AuthFailed, LibvirtError, and what a call throws. */
export async function negotiate(ask: Ask, { uri, readOnly, keepalive, timeoutMs = OPEN_TIMEOUT_MS }: OpenOptions) {
  const limit = { timeoutMs };
  const open = () =>
    Promise.all([
      // Asking starts the daemon's own keepalive on this connection.
      keepalive ? ask('connect_supports_feature', { feature: features.program_keepalive }, limit) : null,
      ask('connect_open', { name: uri, flags: readOnly ? READ_ONLY : 0 }, limit),
    ]);
  // Sent behind each other without waiting. Where a login is needed first, the hasty open is refused, and repeated.
  const listed = ask('auth_list', {}, limit);
  const hasty = open().then(
    () => null,
    (error: unknown) => error as Error,
  );
  const { types } = await listed;
  const needed = types.filter((type) => type !== authTypes.none);
  if (needed.length > 0) await authenticate(ask, needed, limit);
  const refused = await hasty;
  if (refused) {
    if (!notYetLoggedIn(refused)) throw refused;
    await open();
  }

  const [{ version: libVersion }, supported] = await Promise.all([
    ask('connect_get_lib_version', {}, limit),
    Promise.all(asked.map((name) => ask('connect_supports_feature', { feature: features[name] }, limit))),
  ]);
  return { libVersion, features: new Set(asked.filter((_, i) => supported[i]?.supported === 1)) };
}

async function authenticate(ask: Ask, types: number[], limit: { timeoutMs: number }): Promise<void> {
  if (!types.includes(authTypes.polkit)) {
    throw new AuthFailed(
      'This libvirt socket asks for a SASL login, which is not supported: log in as root, or set auth_unix_rw to none or polkit.',
    );
  }
  try {
    await ask('auth_polkit', {}, limit);
  } catch (error) {
    if (!LibvirtError.is(error)) throw error;
    const cause = error.message.replace(/[.\s]+$/, '');
    throw new AuthFailed(
      `The host's polkit does not let this user manage libvirt (${cause}): log in as root, or add the user to the group libvirt there.`,
      { cause: error },
    );
  }
}

const notYetLoggedIn = (error: unknown) => LibvirtError.is(error, 'rpc') && error.domain === errorDomains.rpc;
