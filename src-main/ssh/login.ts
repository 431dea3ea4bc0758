// Chooses, one after the other, the ways to log in: keys, then questions, as far as the host offers them.
import { createHash } from 'node:crypto';
import { SshError, printable } from './error.ts';
import { unlocked, type Identities, type Identity } from './identities.ts';
import { Offer, type Signer } from './offer.ts';
import { everyMethod, type LoginMethod } from './config.ts';
import type { SshPrompts, SshQuestion } from './options.ts';
import { passphraseName, passwordName, type SecretCache } from './secrets.ts';
import type { AnyAuthMethod, ParsedKey } from './ssh2.ts';

/** Wrong answers after which no more questions are asked, as with ssh. */
const wrongAnswers = 3;

export interface LoginOptions {
  user: string;
  /** `user@host:port`: what a password is remembered under. */
  login: string;
  label: string;
  identities: Promise<Identities>;
  /** Null: nobody to ask. */
  prompts: SshPrompts | null;
  secrets: SecretCache;
  /** What may be tried, in this order; default: keys, then questions. */
  methods?: LoginMethod[] | undefined;
  /** Passwords may be sent. */
  trusted: boolean;
  /** Aborted when the connection is gone. */
  signal: AbortSignal;
  /** Waits for a person, while the limits of the connection stand still. */
  waiting: <T>(person: Promise<T>) => Promise<T>;
  /** Something is sent after which the host may wait for a person itself, as for a tap on a phone. */
  patient: () => void;
  /** Ends the connection with this error. */
  fail: (error: SshError) => void;
}

export class Login {
  readonly #options: LoginOptions;
  readonly #tried: string[] = [];
  readonly #notes: string[] = [];
  #agentKeys = 0;
  #identities: Identities | undefined;
  #offered = 0;
  #wrong = 0;
  /** The password that was sent, or '' for other answers; undefined where nothing is waiting for the host's word. */
  #pending: string | undefined;
  #rememberedUsed = false;
  #lastWasWrong = false;
  #tired = false;
  /** Something was typed or remembered for it, or one of several steps was taken. */
  #spoken = false;
  #methods: string[] = [];

  constructor(options: LoginOptions) {
    this.#options = options;
  }

  /** The host refused what was tried last; `methods` may go on. */
  refused(methods: string[], partial: boolean): void {
    this.#methods = methods;
    if (partial) this.#spoken = true;
    if (partial) this.succeeded(); // one of several steps is done: what was typed was right
    if (this.#pending === undefined) return;
    const { secrets, login } = this.#options;
    if (secrets.password(login) === this.#pending) secrets.forgetPassword(login);
    else this.#wrong += 1;
    this.#pending = undefined;
    this.#lastWasWrong = true;
  }

  /** Whether this key may sign before the host has said that it would take it. */
  signsAtOnce(key: ParsedKey): boolean {
    const offered = this.#identities?.offers[this.#offered - 1];
    return offered?.quick === true && offered.publicKey === key;
  }

  succeeded(): void {
    if (this.#pending !== undefined && this.#pending !== '') {
      this.#options.secrets.rememberPassword(this.#options.login, this.#pending);
    }
    this.#pending = undefined;
    this.#lastWasWrong = false;
  }

  /** What to try next; null: there is nothing left. */
  async next(): Promise<AnyAuthMethod | null> {
    const { methods = everyMethod } = this.#options;
    const barred = everyMethod.filter((method) => this.#methods.includes(method) && !methods.includes(method));
    if (barred.length > 0) this.#note(`OpenSSH’s configuration leaves out ${listed(barred)}`);
    for (const method of methods) {
      const attempt = this.#methods.includes(method) ? await this.#by(method) : null;
      if (attempt) return attempt;
    }
    return null;
  }

  async #by(method: LoginMethod): Promise<AnyAuthMethod | null> {
    switch (method) {
      case 'publickey': {
        const identity = await this.#nextIdentity();
        return identity && this.#offer(identity);
      }
      case 'keyboard-interactive':
        if (!this.#mayAnswer()) return null;
        this.#spoken = true;
        this.#options.patient();
        return this.#keyboard();
      case 'password': {
        const password = this.#mayAnswer() ? await this.#password() : undefined;
        if (password === undefined) return null;
        this.#spoken = true;
        this.#options.patient();
        return { type: 'password', username: this.#options.user, password };
      }
      default:
        return method satisfies never;
    }
  }

  /** Whether the host hung up, tired of keys, before all of the agent's were offered. */
  get leftAgentKeys(): boolean {
    const left = this.#identities?.offers.slice(this.#offered) ?? [];
    return this.#tired && !this.#spoken && left.some(({ name }) => name === 'agent');
  }

  /** Why no login was had: what was tried, what the host offers, what can be done. */
  failure(said?: string): SshError {
    const { user, label } = this.#options;
    const tried = this.#triedInWords();
    const parts = [
      said === undefined
        ? `${label} refused the login as ${user}: ${tried}.`
        : `${label} broke the login as ${user} off (“${printable(said)}”): ${tried}.`,
    ];
    if (this.#methods.length > 0) parts.push(`It takes ${listed(this.#methods.map((name) => printable(name, 40)))}.`);
    const notes = [...(this.#identities?.notes ?? []), ...this.#notes];
    if (notes.length > 0) parts.push(`${upper(notes.join('; '))}.`);
    if (said !== undefined && /too many/i.test(said)) {
      this.#tired = /too many authentication failures/i.test(said);
      parts.push('Name the one right key with keyfile=, or take the others out of the agent.');
    } else if (this.#methods.includes('publickey')) {
      parts.push(
        `Put one of your public keys into ${user}’s authorized_keys there (ssh-copy-id), or name a key with keyfile=.`,
      );
    }
    return new SshError('auth-failed', 'login', parts.join(' '));
  }

  #triedInWords(): string {
    const tried = [...this.#tried];
    if (this.#agentKeys > 0) {
      const at = tried.indexOf('agent');
      tried[at] = `agent (${this.#agentKeys} ${this.#agentKeys === 1 ? 'key' : 'keys'})`;
    }
    return tried.length > 0 ? `tried ${tried.join(', ')}` : 'there was nothing to try';
  }

  #note(note: string) {
    if (!this.#notes.includes(note)) this.#notes.push(note);
  }

  #attempt(name: string) {
    if (!this.#tried.includes(name)) this.#tried.push(name);
    if (name === 'agent') this.#agentKeys += 1;
  }

  /** Hands an answer to ssh2, which throws where the connection went meanwhile, or a signature is none. */
  #goOn(act: () => void) {
    if (this.#options.signal.aborted) return;
    try {
      act();
    } catch (error) {
      const said = printable(error instanceof Error ? error.message : String(error));
      this.#note(`an answer could not be sent (${said})`);
      this.#options.fail(this.failure());
    }
  }

  // --- Keys ----------------------------------------------------------------------------------------

  async #nextIdentity(): Promise<Identity | null> {
    const identities = (this.#identities ??= await this.#options.identities);
    const next = identities.offers[this.#offered];
    if (next) {
      this.#offered += 1;
      return next;
    }
    // Nobody knows whether the host would take these, so they are asked for last.
    for (let file = identities.sealed.shift(); file; file = identities.sealed.shift()) {
      try {
        const { name } = file;
        const publicKey = await this.#unlock(name, file.text);
        return {
          name,
          publicKey,
          locked: false,
          sign: async (data, hash) => publicKey.sign(data, hash),
        };
      } catch (error) {
        if (this.#options.signal.aborted) throw error;
      }
    }
    return null;
  }

  #offer(identity: Identity): AnyAuthMethod {
    this.#attempt(identity.name);
    const sign: Signer = (data, hash, done) => {
      // An agent may wait for its owner as well.
      this.#options.waiting(identity.sign(data, hash, this.#unlock)).then(
        (signature) => this.#goOn(() => done(null, signature)),
        (error: unknown) => {
          if (identity.name === 'agent') this.#note('the agent would not sign');
          this.#goOn(() => done(error instanceof Error ? error : new Error(String(error))));
        },
      );
    };
    return { type: 'agent', username: this.#options.user, agent: new Offer(identity.publicKey, sign) };
  }

  #unlock = async (name: string, text: string): Promise<ParsedKey> => {
    const { secrets, waiting } = this.#options;
    const kept = createHash('sha256').update(text).digest('base64');
    let key: ParsedKey | null | undefined;
    try {
      key = await waiting(secrets.unlock(kept, () => this.#passphrase(name, text, kept)));
    } catch {
      throw this.#cancelled(); // at the question of another host, perhaps: that counts for all who waited
    }
    if (key) return key;
    this.#note(`the key ${name} stayed locked`);
    throw new Error('locked');
  };

  /** @returns Null: no passphrase opens it. Undefined: nobody could be asked. @throws when the person cancelled. */
  async #passphrase(name: string, text: string, kept: string): Promise<ParsedKey | null | undefined> {
    const { prompts, signal } = this.#options;
    if (!prompts) {
      this.#note(`the key ${name} has a passphrase, and there is nobody to ask`);
      return undefined;
    }
    for (let wrong = 0; wrong < wrongAnswers; wrong += 1) {
      const answers = await prompts.ask(
        {
          kind: 'passphrase',
          title: name,
          instruction: '',
          prompts: [{ text: `Passphrase of ${name}`, echo: false }],
          again: wrong > 0,
          keepAs: passphraseName(kept),
        },
        signal,
      );
      if (signal.aborted) return undefined;
      if (!answers) throw new Error('cancelled');
      const [passphrase] = answers;
      if (!passphrase) return null; // as with ssh: go on without this key
      const parsed = unlocked(text, passphrase);
      if (!(parsed instanceof Error)) {
        this.#options.secrets.rememberPassphrase(kept, passphrase);
        return parsed;
      }
      this.#note(`the passphrase given for ${name} does not open it`);
    }
    return null;
  }

  // --- Questions -----------------------------------------------------------------------------------

  #remembered(): string | undefined {
    return this.#rememberedUsed ? undefined : this.#options.secrets.password(this.#options.login);
  }

  #mayAnswer(): boolean {
    if (!this.#options.trusted) {
      this.#note('no password is sent to a host whose key has changed');
      return false;
    }
    if (this.#remembered() !== undefined) return true;
    if (!this.#options.prompts) {
      this.#note('there is nobody to ask for a password');
      return false;
    }
    return this.#wrong < wrongAnswers;
  }

  async #password(): Promise<string | undefined> {
    const { user, label, login } = this.#options;
    this.#attempt('password');
    let password = this.#remembered();
    this.#rememberedUsed = true;
    if (password === undefined) {
      [password] = await this.#ask({
        kind: 'password',
        title: `${user}@${label}`,
        instruction: '',
        prompts: [{ text: `Password of ${user} on ${label}`, echo: false }],
        again: this.#lastWasWrong,
        keepAs: passwordName(login),
      });
    }
    this.#pending = password;
    return password;
  }

  #keyboard(): AnyAuthMethod {
    this.#attempt('keyboard-interactive');
    this.#pending = '';
    return {
      type: 'keyboard-interactive',
      username: this.#options.user,
      prompt: (name, instruction, _language, prompts, finish) => {
        this.#answers(name, instruction, prompts).then(
          (answers) => this.#goOn(() => finish(answers)),
          () => undefined, // which has ended the connection
        );
      },
    };
  }

  async #answers(name: string, instruction: string, asked: { prompt: string; echo?: boolean }[]): Promise<string[]> {
    const { user, label, login, prompts: person } = this.#options;
    const prompts = asked.map(({ prompt, echo }) => ({ text: printable(prompt, 500), echo: echo === true }));
    const [first] = prompts;
    const isPassword = prompts.length === 1 && first?.echo === false && /passw/i.test(first.text);
    const remembered = this.#remembered();
    if (isPassword && remembered !== undefined) {
      this.#rememberedUsed = true;
      this.#pending = remembered;
      return [remembered];
    }
    if (!person) return prompts.map(() => '');
    const answers = await this.#ask({
      kind: 'keyboard-interactive',
      title: `${user}@${label}`,
      instruction: printable([name, instruction].filter(Boolean).join(': '), 1000),
      prompts,
      again: this.#lastWasWrong,
      ...(isPassword && { keepAs: passwordName(login) }),
    });
    // A one-time code is no use a second time.
    if (isPassword) this.#pending = answers[0] ?? '';
    return answers;
  }

  /** @throws when the person cancelled, which ends the connection. */
  async #ask(question: SshQuestion): Promise<string[]> {
    const { prompts, signal, waiting } = this.#options;
    const answers = prompts ? await waiting(prompts.ask(question, signal)) : null;
    if (answers) return answers;
    throw this.#cancelled();
  }

  #cancelled(): SshError {
    const { label, signal, fail } = this.#options;
    const message = `The login to ${label} was cancelled at a question. Connect again to be asked again.`;
    const error = new SshError('cancelled', 'login', message);
    if (!signal.aborted) fail(error);
    return error;
  }
}

const listed = (words: string[]) =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
const upper = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
