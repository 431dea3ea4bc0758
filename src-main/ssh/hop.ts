// One host of a ProxyJump: `user@host:port`, or `ssh://` and that.
import { SshError, printable } from './error.ts';

export interface Hop {
  host: string;
  port: number | null;
  user: string | null;
}

/** @throws SshError `misconfigured` */
export function hopOf(given: string): Hop {
  const text = given.replace(/^ssh:\/\//i, '').replace(/\/$/, '');
  const at = text.lastIndexOf('@');
  const user = at < 0 ? null : text.slice(0, at);
  const where = text.slice(at + 1);
  const [, v6, name, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+|[^[\]]*:[^[\]]*:[^[\]]*))(?::(\d{1,5}))?$/.exec(where) ?? [];
  const host = v6 ?? name;
  const port = digits === undefined ? null : Number(digits);
  if (!host || host.startsWith('-') || user === '' || (port !== null && (port < 1 || port > 65_535))) {
    const message = `ProxyJump names “${printable(given, 80)}”, which is no host to go through. Write it as user@host:port.`;
    throw new SshError('misconfigured', 'connect', message);
  }
  return { host, port, user };
}
