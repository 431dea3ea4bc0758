// What was typed and unlocked in this session, in memory only, so that a reconnect asks nothing again.
import type { ParsedKey } from './ssh2.ts';

/** Null: it stays locked. Undefined: the question was called off before there was an answer. */
type Unlocked = ParsedKey | null | undefined;

/** What answers are kept under beyond the session. @param login As in `SecretCache.password`. */
export const passwordName = (login: string) => `password ${login}`;
/** @param key The digest of the key's file. */
export const passphraseName = (key: string) => `passphrase ${key}`;

export class SecretCache {
  readonly #passwords = new Map<string, string>();
  readonly #keys = new Map<string, ParsedKey>();
  readonly #passphrases = new Map<string, string>();
  readonly #unlocking = new Map<string, Promise<Unlocked>>();

  /** @param login `user@host:port` */
  password(login: string): string | undefined {
    return this.#passwords.get(login);
  }

  rememberPassword(login: string, password: string): void {
    this.#passwords.set(login, password);
  }

  forgetPassword(login: string): void {
    this.#passwords.delete(login);
  }

  /** What opens a key's file; kept for the system's ssh, which reads the file itself. @param name As in `unlock`. */
  passphrase(name: string): string | undefined {
    return this.#passphrases.get(name);
  }

  rememberPassphrase(name: string, passphrase: string): void {
    this.#passphrases.set(name, passphrase);
  }

  /**
   * The unlocked key of a file. However many hosts want it at the same time, one of them asks, and its answer is
   * everyone's, a rejection too; only where that one was called off, the next one asks.
   */
  async unlock(name: string, ask: () => Promise<Unlocked>): Promise<Unlocked> {
    for (let running = this.#unlocking.get(name); running; running = this.#unlocking.get(name)) {
      const key = await running;
      if (key !== undefined) return key;
    }
    const held = this.#keys.get(name);
    if (held) return held;
    const asking = ask();
    this.#unlocking.set(name, asking);
    try {
      const key = await asking;
      if (key) this.#keys.set(name, key);
      return key;
    } finally {
      this.#unlocking.delete(name);
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#passwords.clear();
    this.#keys.clear();
    this.#passphrases.clear();
  }
}
