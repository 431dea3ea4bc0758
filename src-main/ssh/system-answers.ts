// Answers what the system's ssh asks, as the login by ssh2 does: each question once, and what was right is remembered.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Asked } from './askpass.ts';
import { SshError, printable } from './error.ts';
import { isLockedBeyond, unlocked } from './identities.ts';
import type { SshOptions, SshQuestion } from './options.ts';
import { passphraseName, passwordName, SecretCache } from './secrets.ts';
import type { ParsedKey } from './ssh2.ts';

const wrongAnswers = 3;

interface Sources {
  options: SshOptions;
  /** `user@host:port`: what a password is remembered under. */
  login: string;
  user: string;
  /** A command of the configuration's own leads there: an ssh in it asks by the same way. */
  byCommand: boolean;
  /** ssh marks what the host itself asks by whose it is; from 8.5 on. */
  marked: boolean;
}

export class SystemAnswers {
  readonly #options: SshOptions;
  readonly #login: string;
  readonly #user: string;
  readonly #byCommand: boolean;
  readonly #marked: boolean;
  readonly #secrets: SecretCache;
  readonly #over = new AbortController();
  readonly #asked = new Map<string, number>();
  /** The password that was sent last. */
  #pending: string | undefined;
  #rememberedUsed = false;
  #cancelled: (error: SshError) => void = () => {};

  constructor({ options, login, user, byCommand, marked }: Sources) {
    this.#options = options;
    this.#login = login;
    this.#user = user;
    this.#byCommand = byCommand;
    this.#marked = marked;
    this.#secrets = options.secrets ?? new SecretCache();
    options.signal?.addEventListener('abort', () => this.#over.abort(), { once: true });
  }

  onCancel(listener: (error: SshError) => void): void {
    this.#cancelled = listener;
  }

  succeeded(): void {
    if (this.#pending !== undefined) this.#secrets.rememberPassword(this.#login, this.#pending);
    this.#pending = undefined;
  }

  /** Null: no. */
  async to({ hint, prompt }: Asked): Promise<string | null> {
    // Touch me: ssh ends the question by itself.
    if (hint === 'none') return new Promise(() => undefined);
    if (hint === 'confirm') return null;
    // A host could word its own prompt as ssh asks for a passphrase, or for another host's password.
    if (!this.#marked) return this.#strangers(printable(prompt, 300));
    const [, key] = /^Enter passphrase for (?:key )?'?(.+?)'?: ?$/.exec(prompt) ?? [];
    if (key !== undefined) return this.#passphrase(key, prompt);
    const [, name] = /^(.*)'s password: ?$/.exec(prompt) ?? [];
    // A jump host of the configuration's own inherits who answers: its question is its own, and nothing is kept of it.
    const whose = name ?? /^\(([^()\s]+@[^()\s]+)\) /.exec(prompt)?.[1];
    // The ssh of a command may be one that does not mark whose a prompt is.
    const strange = whose === undefined ? this.#byCommand : !this.#isMine(whose);
    if (strange) return this.#strangers(printable(prompt, 300));
    if (name !== undefined) return this.#password();
    return this.#other(prompt);
  }

  #isMine(whose: string): boolean {
    const { host } = this.#options.target;
    const mine = [`${this.#user}@${host}`, this.#login.replace(/:\d+$/, '')];
    return mine.some((one) => one.toLowerCase() === whose.toLowerCase());
  }

  async #strangers(prompt: string): Promise<string | null> {
    const given = await this.#ask('password', prompt, prompt, this.#times(prompt) > 0);
    if (given === null) this.#cancel();
    return given;
  }

  async #passphrase(path: string, prompt: string): Promise<string | null> {
    const text = await readFile(path, 'utf8').catch(() => null);
    // One that Drover cannot open itself, as of a FIDO key: ssh says whether it was right.
    if (text === null || isLockedBeyond(text) || !(unlocked(text) instanceof Error)) {
      return this.#ask('passphrase', path, printable(prompt, 300), this.#times(path) > 0);
    }
    const kept = createHash('sha256').update(text).digest('base64');
    const again = this.#times(path) > 0;
    if (again) return null; // it was right, and ssh asks for it nevertheless
    let phrase: string | null | undefined = this.#secrets.passphrase(kept);
    if (phrase !== undefined) return phrase;
    try {
      await this.#secrets.unlock(kept, async () => {
        for (let wrong = 0; wrong < wrongAnswers; wrong += 1) {
          const given = await this.#ask('passphrase', path, `Passphrase of ${path}`, wrong > 0, passphraseName(kept));
          if (given === null) throw new Error('cancelled');
          if (given === '') return null;
          const opened = unlocked(text, given);
          if (opened instanceof Error) continue;
          this.#secrets.rememberPassphrase(kept, given);
          return opened satisfies ParsedKey;
        }
        return null;
      });
    } catch {
      this.#cancel();
      return null;
    }
    phrase = this.#secrets.passphrase(kept);
    return phrase ?? null;
  }

  async #password(): Promise<string | null> {
    const remembered = this.#rememberedUsed ? undefined : this.#secrets.password(this.#login);
    this.#wrong();
    this.#rememberedUsed = true;
    if (remembered !== undefined) {
      this.#pending = remembered;
      return remembered;
    }
    const { label } = this.#options.target;
    const again = this.#times('password') > 0;
    const given = await this.#ask(
      'password',
      this.#title(),
      `Password of ${this.#user} on ${label}`,
      again,
      passwordName(this.#login),
    );
    if (given === null) this.#cancel();
    else this.#pending = given;
    return given;
  }

  /** One prompt of keyboard-interactive, or a PIN. */
  async #other(prompt: string): Promise<string | null> {
    const words = printable(prompt, 500).replace(/^\([^)]*\) ?/, '');
    const isPassword = /passw/i.test(words);
    const remembered = isPassword && !this.#rememberedUsed ? this.#secrets.password(this.#login) : undefined;
    if (isPassword) this.#wrong();
    if (remembered !== undefined) {
      this.#rememberedUsed = true;
      this.#pending = remembered;
      return remembered;
    }
    const keepAs = isPassword ? passwordName(this.#login) : undefined;
    const given = await this.#ask('keyboard-interactive', this.#title(), words, this.#times(words) > 0, keepAs);
    if (given === null) this.#cancel();
    else if (isPassword) this.#pending = given;
    return given;
  }

  /** How often this was asked before. */
  #times(what: string): number {
    const before = this.#asked.get(what) ?? 0;
    this.#asked.set(what, before + 1);
    return before;
  }

  /** Asked once more: what was sent last was not taken. */
  #wrong(): void {
    if (this.#pending !== undefined && this.#secrets.password(this.#login) === this.#pending) {
      this.#secrets.forgetPassword(this.#login);
    }
    this.#pending = undefined;
  }

  #title(): string {
    return `${this.#user}@${this.#options.target.label}`;
  }

  async #ask(
    kind: SshQuestion['kind'],
    title: string,
    text: string,
    again: boolean,
    keepAs?: string,
  ): Promise<string | null> {
    const { prompts } = this.#options;
    const more = keepAs === undefined ? {} : { keepAs };
    const question = { kind, title, instruction: '', prompts: [{ text, echo: false }], again, ...more };
    const answers = await prompts?.ask(question, this.#over.signal);
    return answers?.[0] ?? null;
  }

  #cancel(): void {
    const { label } = this.#options.target;
    const message = `The login to ${label} was cancelled at a question. Connect again to be asked again.`;
    this.#cancelled(new SshError('cancelled', 'login', message));
  }
}
