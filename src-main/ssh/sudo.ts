// Root on a host by sudo, for a login that is not root's: whether it wants a password, and why it may refuse.
import type { ExecOptions, SshConnection, SshExec } from './connection.ts';
import { seconds } from './dial.ts';
import { SshError, printable } from './error.ts';
import type { SshPrompts } from './options.ts';
import { shell } from './scripts.ts';
import { passwordName, type SecretCache } from './secrets.ts';

/** What sudo prints when it waits for the password, which is sent only then: else the program would read it. */
const prompt = 'drover:password';
const wrongAnswers = 3;
/** PAM takes its time over a wrong password. */
const provingMs = 15_000;

/** How a program is begun as root. sudo's own words are looked at, so they have to be in English. */
const prefix = {
  free: 'env LC_ALL=C sudo -n -- ',
  // -k: what sudo remembers of an earlier password would have it ask for none, now and then.
  asking: `env LC_ALL=C sudo -k -S -p ${prompt} -- `,
};

export interface RootProgram {
  name: string;
  /** The script that runs it; `as` stands right before the program. */
  script: (as: string) => string;
}

export interface SudoOptions {
  prompts: SshPrompts | null;
  secrets: SecretCache;
  signal: AbortSignal;
}

/** Of one SSH connection. */
export class Sudo {
  readonly #ssh: SshConnection;
  readonly #options: SudoOptions;
  readonly #passwords = new Map<string, Promise<string | null>>();

  constructor(ssh: SshConnection, options: SudoOptions) {
    this.#ssh = ssh;
    this.#options = options;
  }

  /** @throws SshError `channel-refused` where the host has no such program, `no-permission` where sudo says no */
  async start(program: RootProgram, options: ExecOptions): Promise<SshExec> {
    const { name, script } = program;
    let proved = this.#passwords.get(name);
    if (!proved) {
      this.#passwords.set(name, (proved = this.#prove(program)));
      proved.catch(() => this.#passwords.delete(name));
    }
    const password = await proved;
    if (password === null) return this.#ssh.exec(shell(script(prefix.free)), options);
    return this.#begin(shell(script(prefix.asking)), password, options, () => {
      // It was right before, and is not any more: given again and again it would lock the account.
      this.#passwords.delete(name);
      this.#options.secrets.forgetPassword(`sudo ${this.#ssh.login}`);
    });
  }

  /** What sudo said of a refusal, for a sentence; '' where it said nothing. Never what the prompt was. */
  static words(stderr: string): string {
    return stderr.replaceAll(prompt, '');
  }

  /** The program is run once without input: what sudo lets for it, is known only so. @returns the password to give */
  async #prove({ name, script }: RootProgram): Promise<string | null> {
    const free = await this.#run(shell(script(prefix.free)), null);
    if (free.code === 127) throw this.#missing(name);
    const refused = refusal(free.stderr);
    if (refused === null) return null;
    if (refused !== 'password') throw this.refused(name, free.stderr, free.stdout);
    return this.#ask(name, script, free.stdout);
  }

  async #ask(name: string, script: RootProgram['script'], found: string): Promise<string> {
    const { prompts, secrets, signal } = this.#options;
    const { user, label, login, hostKey } = this.#ssh;
    if (hostKey.status === 'changed' || hostKey.status === 'revoked') {
      throw new SshError(
        'no-permission',
        'open',
        `sudo on ${label} asks for a password, and none is sent to a host whose key has changed.`,
      );
    }
    const key = `sudo ${login}`;
    // It is mostly the user's own, which may have been typed for the login.
    const known = new Set([secrets.password(key), secrets.password(login)].filter((word) => word !== undefined));
    for (let wrong = 0; wrong < wrongAnswers;) {
      const [remembered] = known;
      let password = remembered;
      if (password !== undefined) known.delete(password);
      else {
        if (!prompts) throw this.#nobody(name, found);
        const question = {
          kind: 'password' as const,
          title: `${user}@${label}`,
          instruction: '',
          prompts: [{ text: `Password of ${user} for sudo on ${label}`, echo: false }],
          again: wrong > 0,
          keepAs: passwordName(key),
        };
        password = (await prompts.ask(question, signal))?.[0];
        if (password === undefined) throw cancelled(label);
      }
      const ran = await this.#run(shell(script(prefix.asking)), password);
      const refused = refusal(ran.stderr);
      if (refused === null) {
        secrets.rememberPassword(key, password);
        return password;
      }
      if (refused !== 'password') throw this.refused(name, ran.stderr, found);
      secrets.forgetPassword(key);
      if (remembered === undefined) wrong += 1;
    }
    throw new SshError('auth-failed', 'open', `sudo on ${label} took none of the passwords given for ${user}.`);
  }

  /** To its end, without input but the password. */
  async #run(command: string, password: string | null): Promise<Ran> {
    const { label } = this.#ssh;
    const { stdio, stderr, exited } =
      password === null ? await this.#ssh.exec(command) : await this.#begin(command, password, {});
    let stdout = '';
    stdio.on('data', (chunk: Buffer) => {
      if (stdout.length < 4096) stdout += chunk.toString('latin1');
    });
    stdio.end();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(tooSlow(label)), provingMs);
    });
    try {
      const { code } = await Promise.race([exited, late]);
      return { code, stdout, stderr: stderr() };
    } finally {
      clearTimeout(timer);
      stdio.destroy();
    }
  }

  /** Begins a command by a sudo that asks, and answers it. */
  async #begin(command: string, password: string, options: ExecOptions, refusedAgain?: () => void): Promise<SshExec> {
    let asked!: () => void;
    const asks = new Promise<void>((resolve) => (asked = resolve));
    let again: (() => void) | undefined = refusedAgain;
    const heard = (said: string) => {
      if (said.includes(prompt)) asked();
      if (!again || said.split(prompt).length <= 2) return;
      // What comes next would be read as the next password.
      again();
      again = undefined;
      running.stdio.destroy();
    };
    const running = await this.#ssh.exec(command, { ...options, heard });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(tooSlow(this.#ssh.label)), provingMs);
    });
    try {
      await Promise.race([asks, running.exited, late]);
    } catch (error) {
      running.stdio.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    if (running.stderr().includes(prompt)) running.stdio.write(`${password.replace(/[\r\n\0].*/s, '')}\n`);
    return running;
  }

  #missing(name: string): SshError {
    return new SshError('channel-refused', 'open', `There is no ${name} on ${this.#ssh.label}.`);
  }

  /** @param found Where the host's shell finds the program, as the script tells it. */
  refused(name: string, stderr: string, found = ''): SshError {
    const { user, label } = this.#ssh;
    const no = (message: string) => new SshError('no-permission', 'open', message);
    switch (refusal(stderr)) {
      case 'no-sudo':
        return no(`There is no sudo on ${label}. Install it, or take sudo=1 out of the host’s URI.`);
      case 'terminal':
        return no(
          `sudo on ${label} wants a terminal, which a program has not. “Defaults:${user} !requiretty” in a file in /etc/sudoers.d there helps (by visudo -f).`,
        );
      case 'denied':
        return no(`sudo on ${label} does not let ${user} run ${name} as root. What helps: ${this.#rule(name, found)}.`);
      default:
        return no(
          `sudo on ${label} refused ${user} (“${printable(Sudo.words(stderr))}”). What helps: ${this.#rule(name, found)}.`,
        );
    }
  }

  #nobody(name: string, found: string): SshError {
    const { user, label } = this.#ssh;
    const message = `sudo on ${label} asks ${user} for a password, and there is nobody to answer. Connect with a window open, or let it go without one: ${this.#rule(name, found)}.`;
    return new SshError('no-permission', 'open', message);
  }

  /** The line that helps. */
  #rule(name: string, found: string): string {
    const path = /^drover:at (\/[\w./-]+)$/m.exec(found)?.[1] ?? `/usr/bin/${name}`;
    return `“${this.#ssh.user} ALL=(root) NOPASSWD: ${path}” in a file in /etc/sudoers.d there (by visudo -f)`;
  }
}

/** Whether sudo would do for this user without a password, as it says itself. Asked only where a group speaks for it: a
 * stranger's question is reported to the host's admin. */
export async function sudoWouldHelp(ssh: SshConnection): Promise<boolean> {
  const ask =
    'case " $(id -Gn) " in *" sudo "*|*" wheel "*|*" admin "*) sudo -n -l virt-ssh-helper qemu:///system;; *) exit 1;; esac >/dev/null 2>&1';
  const ran = await ssh.run(shell(ask)).catch(() => null);
  return ran?.code === 0;
}

type Refusal = 'password' | 'denied' | 'terminal' | 'no-sudo' | 'other';

interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Null: the program was begun, whatever it said itself. */
export function refusal(stderr: string): Refusal | null {
  const said = Sudo.words(stderr);
  if (/^drover:no-sudo$/m.test(said)) return 'no-sudo';
  if (/must have a tty/.test(said)) return 'terminal';
  if (
    /not in the sudoers file|may not run sudo|is not allowed to (?:execute|run)|I'm afraid I can't do that/.test(said)
  ) {
    return 'denied';
  }
  if (/(?:password|authentication) is required|incorrect password|try again|no password was provided/i.test(said)) {
    return 'password';
  }
  return /^sudo(?:-rs)?: /m.test(said) ? 'other' : null;
}

const cancelled = (label: string) =>
  new SshError(
    'cancelled',
    'login',
    `The login to ${label} was cancelled at the question of sudo. Connect again to be asked again.`,
  );

const tooSlow = (label: string) =>
  new SshError(
    'timeout',
    'open',
    `sudo on ${label} did not answer within ${seconds(provingMs)}. Does it ask for something else than a password there?`,
  );
