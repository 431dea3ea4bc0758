// libvirt's connection URIs, as far as Drover takes them.
import { Failure } from './failure.ts';

/** libvirt's own, and `sudo`, which is Drover's: libvirt's client knows none of that name. */
export const sshParameters = [
  ...(['command', 'keyfile', 'known_hosts', 'no_verify', 'socket', 'proxy', 'mode'] as const),
  'sudo',
] as const;
export type SshParameter = (typeof sshParameters)[number];

export interface HostUri {
  /** As given, trimmed; the form that hosts are told apart by is `canonical`. */
  text: string;
  /** Same host, same string: parameters sorted, default port left out, host name in lower case. */
  canonical: string;
  driver: 'qemu' | 'test';
  transport: 'ssh' | 'local';
  /** `/system`, `/session`, `/default`. */
  path: string;
  /** What the daemon itself is asked to open, e.g. `qemu:///system`. */
  daemonUri: string;
  user: string | null;
  /**
   * Name or address, an IPv6 one without brackets; null for a local URI. As it is written: `Host` in OpenSSH's
   * configuration tells capitals apart.
   */
  host: string | null;
  port: number | null;
  parameters: Partial<Record<SshParameter, string>>;
}

/** Quotes the URI, but never a password that somebody put into it: messages are shown and logged. */
function bad(text: string, why: string): Failure {
  const uri = text.replace(/(:\/\/[^:/?#]*:)[^/?#]*@/, '$1…@');
  return new Failure('bad-request', `“${uri}” is no URI that Drover can connect to: ${why}`, { uri });
}

const example = 'Try qemu+ssh://root@kvm1.example.org/system.';

/** @throws Failure `bad-request`, saying what is wrong and what would be right. */
export function parseHostUri(given: string): HostUri {
  const text = given.trim();
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\s\u0000-\u001f]/.test(text)) throw bad(text, 'it holds white space or control characters.');
  const parts = /^([a-z][a-z0-9]*)(?:\+([a-z0-9]+))?:\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?(#.*)?$/i.exec(text);
  if (!parts) throw bad(text, `a URI has a scheme, a host and a path. ${example}`);
  const [, scheme = '', how, authority = '', path = '', query = '', fragment] = parts;
  const driver = scheme.toLowerCase();
  const transport = how?.toLowerCase();
  if (driver !== 'qemu' && driver !== 'test')
    throw bad(text, `the driver “${scheme}” is not supported, only qemu. ${example}`);
  if (fragment) throw bad(text, 'it has a fragment (#…), which libvirt does not know.');
  if (transport && transport !== 'ssh' && transport !== 'unix') {
    throw bad(text, `the transport “${how}” is not supported, only ssh. ${example}`);
  }
  const paths = driver === 'test' ? ['/default'] : ['/system', '/session'];
  if (!paths.includes(path)) throw bad(text, `its path is “${path}”, and has to be ${paths.join(' or ')}.`);

  const parameters: HostUri['parameters'] = {};
  for (const pair of query ? query.split('&') : []) {
    const at = pair.indexOf('=');
    const name = decode(text, at < 0 ? pair : pair.slice(0, at));
    if (!(sshParameters as readonly string[]).includes(name)) {
      throw bad(text, `the parameter “${name}” is not supported, only ${sshParameters.join(', ')}.`);
    }
    if (name in parameters) throw bad(text, `the parameter “${name}” is there twice.`);
    parameters[name as SshParameter] = at < 0 ? '' : decode(text, pair.slice(at + 1));
  }
  checkParameters(text, parameters);

  if (parameters.sudo === '1' && (transport !== 'ssh' || path === '/session')) {
    throw bad(text, 'sudo=1 is for the libvirt of a whole host, reached by ssh.');
  }

  const daemonUri = `${driver}://${path}`;
  const sorted = Object.entries(parameters)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll('%2F', '/')}`)
    .join('&');
  const tail = path + (sorted && `?${sorted}`);

  if (transport !== 'ssh') {
    if (authority) throw bad(text, `it names a host but no transport. ${example}`);
    return {
      text,
      canonical: `${driver}://${tail}`,
      driver,
      transport: 'local',
      path,
      daemonUri,
      user: null,
      host: null,
      port: null,
      parameters,
    };
  }
  if (authority.slice(0, Math.max(0, authority.lastIndexOf('@'))).includes(':'))
    throw bad(text, 'it holds a password, which would be kept and shown; leave it out, Drover asks for it.');
  const where = /^(?:([^@]*)@)?(?:\[([0-9a-f:.%a-z]+)\]|([^:@[\]]+))(?::(\d*))?$/i.exec(authority);
  if (!where)
    throw bad(
      text,
      authority ? `“${authority}” is no user, host and port. ${example}` : `it names no host. ${example}`,
    );
  const [, rawUser, v6, name, rawPort] = where;
  if (rawUser === '') throw bad(text, 'the user before the @ is empty.');
  const user = rawUser === undefined ? null : decode(text, rawUser);
  // The zone of a link-local address comes after a % that is itself encoded.
  const host = v6?.replace('%25', '%') ?? decode(text, name ?? '');
  // What begins with a dash, or holds shell signs, would be an option or a command to programs further on.
  if (!v6 && !/^[\p{L}\p{N}_]([\p{L}\p{N}._-]*[\p{L}\p{N}_.])?$/u.test(host))
    throw bad(text, `“${host}” is no host name.`);
  if (v6 && !v6.includes(':')) throw bad(text, `“${v6}” in brackets is no IPv6 address.`);
  if (user?.startsWith('-')) throw bad(text, `“${user}” is no user name.`);
  const port = rawPort ? Number(rawPort) : null;
  if (port !== null && (port < 1 || port > 65535)) throw bad(text, `the port ${rawPort} is not between 1 and 65535.`);
  const login = user === null ? '' : `${encodeURIComponent(user)}@`;
  const named = host.toLowerCase();
  const canonical = `${driver}+ssh://${login}${v6 ? `[${named.replace('%', '%25')}]` : named}${port === null || port === 22 ? '' : `:${port}`}${tail}`;
  return { text, canonical, driver, transport: 'ssh', path, daemonUri, user, host, port, parameters };
}

function checkParameters(
  text: string,
  { command, proxy, mode, no_verify, socket, keyfile, known_hosts, sudo }: HostUri['parameters'],
) {
  // Another one would be a program that whoever wrote the URI chose.
  if (command !== undefined && command !== 'ssh') {
    throw bad(text, `command is “${command}”, and can only be ssh: the one of this machine.`);
  }
  if (proxy !== undefined && !['auto', 'netcat', 'native'].includes(proxy)) {
    throw bad(text, `proxy is “${proxy}”, and has to be auto, netcat or native.`);
  }
  if (mode !== undefined && !['auto', 'direct', 'legacy'].includes(mode)) {
    throw bad(text, `mode is “${mode}”, and has to be auto, direct or legacy.`);
  }
  if (no_verify !== undefined && !['0', '1'].includes(no_verify))
    throw bad(text, `no_verify is “${no_verify}”, and has to be 0 or 1.`);
  if (sudo !== undefined && !['0', '1'].includes(sudo)) throw bad(text, `sudo is “${sudo}”, and has to be 0 or 1.`);
  for (const [name, path] of Object.entries({ socket, keyfile, known_hosts })) {
    if (path === '') throw bad(text, `the parameter “${name}” is empty.`);
  }
  if (socket !== undefined && !socket.startsWith('/'))
    throw bad(text, `socket is “${socket}”, and has to be an absolute path on the host.`);
}

function decode(text: string, part: string) {
  let decoded: string;
  try {
    decoded = decodeURIComponent(part);
  } catch {
    throw bad(text, `“${part}” is not percent-encoded as it should be.`);
  }
  if (/\p{Cc}/u.test(decoded)) throw bad(text, `“${part}” holds control characters.`);
  return decoded;
}

/** A short name for a host that was given none. */
export function labelOf(uri: HostUri): string {
  return uri.host?.toLowerCase() ?? uri.daemonUri;
}
