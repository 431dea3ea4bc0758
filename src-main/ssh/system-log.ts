// What the system's ssh says while it connects (`-v`): how far it is, the host's key, and why it gave up.
import { SshError, printable, type SshErrorKind, type SshPhase } from './error.ts';
import { askedInVain, commandFailed } from './wire.ts';

/** Of the lines that say more than how it goes on, so many are kept. */
const kept = 40;

export class SystemLog {
  phase: SshPhase = 'connect';
  user: string | null = null;
  /** The host's first line. */
  banner = '';
  /** Of the key, or the certificate, that the host showed. */
  key: { algorithm: string; fingerprint: string } | null = null;
  /** The host's certificate itself was taken, not only the key in it. */
  certified = false;
  /** What the host takes. */
  methods: string[] = [];
  readonly tried: string[] = [];
  /** Something is sent after which the host may wait for a person itself, as for a tap on a phone. */
  patient = false;
  /** The lines that are not debugging, the last of them. */
  readonly said: string[] = [];
  readonly #moved: () => void;

  /** @param moved Called when a phase begins, and when it may take longer. */
  constructor(moved: () => void) {
    this.#moved = moved;
  }

  line(line: string): void {
    const debug = /^debug\d+: (.*)$/.exec(line)?.[1];
    if (debug === undefined) this.#sentence(line);
    else this.#debug(debug);
  }

  #debug(line: string): void {
    const [, software] = /^Remote protocol version [\d.]+, remote software version (.*)$/.exec(line) ?? [];
    if (software !== undefined) {
      this.banner = `SSH-2.0-${printable(software)}`;
      this.#to('key-exchange');
    } else if (/^(Connection established|Executing proxy command)/.test(line)) {
      this.#to('banner');
    } else if (line.startsWith('Authenticating to ')) {
      this.user = / as '(.*)'$/.exec(line)?.[1] ?? null;
    } else if (line.startsWith('Server host key: ') || line.startsWith('Server host certificate: ')) {
      const [, algorithm = '', fingerprint = ''] = /: (\S+) ([^\s,]+)/.exec(line) ?? [];
      this.key = { algorithm, fingerprint };
    } else if (/^Host .* is known and matches the \S+ host certificate\.$/.test(line)) {
      this.certified = true;
    } else if (line === 'SSH2_MSG_SERVICE_ACCEPT received') {
      this.#to('login');
    } else if (line.startsWith('Authentications that can continue: ')) {
      this.methods = line.slice(line.indexOf(': ') + 2).split(',');
    } else if (line.startsWith('Next authentication method: ')) {
      const method = line.slice(line.indexOf(': ') + 2);
      if (!this.tried.includes(method)) this.tried.push(method);
      if (method === 'keyboard-interactive' || method === 'password') {
        this.patient = true;
        this.#moved();
      }
    }
  }

  #sentence(line: string): void {
    const words = printable(line, 300);
    if (words === '' || /^OpenSSH_|^Warning: Permanently added|^(Transferred|Bytes per second):/.test(words)) return;
    if (/^Authenticated to /.test(words)) return;
    this.said.push(words);
    if (this.said.length > kept) this.said.splice(1, 1);
  }

  #to(phase: SshPhase) {
    if (this.phase === phase) return;
    this.phase = phase;
    this.#moved();
  }
}

interface KeyRefusal {
  status: 'unknown' | 'changed' | 'revoked';
  where: string[];
  /** Why a certificate of the host's was not taken, in ssh's words. */
  certificate: string | null;
}

/** ssh takes no key while it cannot read the list of those that are not to be taken. */
const revokedUnread = /Error checking host key .* in revoked keys file .*/;

/** What the key's own check came to, as ssh says it; null: that is not why it ended. */
export function keyRefusal({ said }: SystemLog): KeyRefusal | null {
  const all = said.join('\n');
  if (revokedUnread.test(all)) return null; // told below
  const certificate = /^Certificate invalid: (.+)$/m.exec(all)?.[1] ?? null;
  const where = [...all.matchAll(/^Offending .*? in (.+:\d+)$/gm)].map(([, place = '']) => place);
  const file = /^Host key \S+ \S+ revoked by file (.+)$/m.exec(all)?.[1];
  if (file !== undefined) return { status: 'revoked', where: [file], certificate };
  if (/REVOKED HOST KEY DETECTED|marked as revoked/.test(all)) return { status: 'revoked', where, certificate };
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED/.test(all)) return { status: 'changed', where, certificate };
  if (/host key is known for .* and you have requested strict checking|Host key verification failed/.test(all)) {
    return { status: 'unknown', where, certificate };
  }
  return null;
}

interface Told {
  host: string;
  port: number;
  label: string;
  /** A jump host's label, where it goes through one. */
  via: string | null;
}

type Tell = (told: Told, found: string[]) => string;

/** The first that fits a line tells. */
const causes: [RegExp, SshErrorKind, SshPhase | null, Tell][] = [
  [
    /Could not resolve hostname (\S+): /,
    'unresolved',
    'connect',
    (_, [, name]) => `The name ${name} has no address. Check its spelling, or use the address.`,
  ],
  [
    /connect to host .*: Connection refused/,
    'refused',
    'connect',
    ({ label, port }) =>
      `${label} is up, but nothing answers on port ${port}. Is its SSH server running, and on that port?`,
  ],
  [
    /connect to host .*: (?:Connection|Operation) timed out/,
    'timeout',
    'connect',
    ({ label, port }) => `${label} did not answer on port ${port}. Is it up, and does a firewall let SSH through?`,
  ],
  [
    /connect to host .*: (.+)/,
    'unreachable',
    'connect',
    ({ label, port }, [, why]) =>
      `${label} cannot be reached on port ${port} (${why}). Is it up, and is there a route to it?`,
  ],
  [
    /Stdio forwarding request failed|stdio forwarding failed|open failed: (?:connect failed|administratively prohibited)/i,
    'unreachable',
    'connect',
    ({ label, host, port, via }) =>
      `${label} cannot be reached from ${via ?? 'its jump host'} at ${host} port ${port}. Is it up, is the address right as seen from there, and does that server forward TCP (AllowTcpForwarding)?`,
  ],
  [
    /(Unable to negotiate .*|no matching .*)/,
    'no-key-exchange',
    'key-exchange',
    ({ label }, [, said]) =>
      `${label} and ssh found no way to exchange keys (${said}). Its SSH server may be too old, or configured too strictly.`,
  ],
  [
    /(Error checking host key .* in revoked keys file .*|Bad configuration option: .*|bad configuration options|Bad owner or permissions on .*|no argument after keyword.*|keyword .* extra arguments.*)/,
    'misconfigured',
    'connect',
    ({ label }, [, said]) =>
      `OpenSSH’s configuration cannot be used for ${label} (${said}). Mend it; “ssh -G ${label}” says whether it is right.`,
  ],
  [
    /(Bad remote protocol version|banner line contains invalid|invalid format|banner exchange: .*)/,
    'not-ssh',
    'banner',
    ({ label, port }, [, said]) => `Port ${port} of ${label} speaks no SSH (${said}). Is it the right port?`,
  ],
];

/** Why ssh left before it was logged in. A key that was not taken is told elsewhere. */
export function whyLeft(log: SystemLog, told: Told): SshError {
  const { label } = told;
  const said = log.said.at(-1) ?? '';
  for (const [pattern, kind, phase, tell] of causes) {
    const found = log.said.map((line) => pattern.exec(line)).find((match) => match !== null);
    if (found) return new SshError(kind, phase ?? log.phase, tell(told, found));
  }
  // Before the host has said a word, it is the ssh of a ProxyCommand that was refused, at another one.
  const vain = log.phase === 'banner' ? log.said.findIndex((line) => askedInVain.test(line)) : -1;
  if (vain >= 0) {
    const words = log.said.slice(Math.max(0, vain - 1), vain + 1).join(' ');
    return new SshError('auth-failed', 'connect', commandFailed(label, words));
  }
  const denied = log.said.find((line) => /Permission denied|Too many authentication failures/.test(line));
  if (denied !== undefined) return new SshError('auth-failed', 'login', refused(log, label, denied));
  if (log.phase === 'connect') {
    return new SshError('unreachable', 'connect', `ssh could not reach ${label} (${said || 'it gave no reason'}).`);
  }
  if (log.phase === 'banner') {
    const message = `${label} closed the connection without a word. Its SSH server may have too many logins going on (MaxStartups), or block this address; try again in a minute.`;
    return new SshError('lost', 'banner', message);
  }
  const where = log.phase === 'login' ? 'during the login' : 'in the middle of the key exchange';
  return new SshError(
    'lost',
    log.phase,
    `${label} closed the connection ${where} (${said || 'ssh gave no reason'}). Try again, or read its SSH server’s log.`,
  );
}

function refused(log: SystemLog, label: string, denied: string): string {
  const tried = log.tried.length > 0 ? `ssh tried ${log.tried.join(', ')}` : 'there was nothing to try';
  const takes = log.methods.length > 0 ? ` It takes ${log.methods.join(', ')}.` : '';
  const notes = log.said.filter((line) => /certificate|sign_and_send|agent|gss|key/i.test(line)).slice(-2);
  const more = notes.length > 0 ? ` (${notes.join('; ')})` : '';
  const remedy = /Too many/.test(denied)
    ? 'Name the one right key with keyfile=, or take the others out of the agent.'
    : `“ssh -v ${label}” shows each step.`;
  return `${label} refused the login${log.user === null ? '' : ` as ${log.user}`}: ${tried}${more}.${takes} ${remedy}`;
}

/** Why an established connection ended, where ssh said so. */
export function whyEnded({ said }: SystemLog, label: string): string | null {
  const line = said.findLast((one) => /closed by|disconnect|Timeout|reset|Broken pipe|not responding/i.test(one));
  return line === undefined ? null : `The connection to ${label} ended; ssh says “${line}”.`;
}
