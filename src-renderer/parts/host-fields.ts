// The simple way to name a host (its name, a user, a port) and the URI that it stands for.
import { parseHostUri, type HostUri } from '../../contract/uri.ts';
import { toErr } from '../../contract/failure.ts';

export interface HostFields {
  /** Name or address; an IPv6 one with or without brackets. */
  host: string;
  /** Empty: whoever ssh_config or the system says. */
  user: string;
  /** Empty: 22, or what ssh_config says. */
  port: string;
  /** libvirt there is reached as root, by sudo. */
  sudo: boolean;
}

/** The URI that the fields stand for; it may still be wrong, `checkUri` says so. */
export function uriOf({ host, user, port, sudo }: HostFields): string {
  const name = host.trim();
  const where = name.includes(':') && !name.startsWith('[') ? `[${name}]` : name;
  const login = user.trim() === '' ? '' : `${encodeURIComponent(user.trim())}@`;
  const at = port.trim() === '' ? '' : `:${port.trim()}`;
  return `qemu+ssh://${login}${where}${at}/system${sudo ? '?sudo=1' : ''}`;
}

/** What of a URI the fields can show; null where it says more than they hold. */
export function fieldsOf(uri: string): HostFields | null {
  const checked = checkUri(uri);
  if (!checked?.ok) return null;
  const { transport, driver, path, parameters, user, host, port } = checked.uri;
  const { sudo, ...more } = parameters;
  if (transport !== 'ssh' || driver !== 'qemu' || path !== '/system' || Object.keys(more).length > 0) return null;
  return { host: host ?? '', user: user ?? '', port: port === null ? '' : String(port), sudo: sudo === '1' };
}

export type CheckedUri = { ok: true; uri: HostUri } | { ok: false; problem: string };

/** Null while the field is empty. */
export function checkUri(text: string): CheckedUri | null {
  if (text.trim() === '') return null;
  try {
    return { ok: true, uri: parseHostUri(text) };
  } catch (thrown) {
    return { ok: false, problem: toErr(thrown).message };
  }
}

/** A whole URI pasted where a name is asked for is taken as what it is. */
export const looksLikeUri = (text: string) => /^[a-z][a-z0-9+]*:\/\//i.test(text.trim());
