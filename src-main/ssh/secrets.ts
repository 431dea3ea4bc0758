// What was typed and unlocked in this session, in memory only, so that a reconnect asks nothing again.
import type { ParsedKey } from './ssh2.ts';

/** Null: the person said no. */
type Unlocked = ParsedKey | null;

export class SecretCache {
  readonly #passwords = new Map<string, string>();
  readonly #keys = new Map<string, ParsedKey>();
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

  /**
   * The unlocked key of a file. However many hosts want it at the same time, one of them asks, and its answer is
   * everyone's; only where that one was called off, the next one asks.
   * @param ask Rejects when it was called off.
   */
  async unlock(name: string, ask: () => Promise<Unlocked>): Promise<Unlocked> {
    for (;;) {
      const held = this.#keys.get(name);
      if (held) return held;
      const running = this.#unlocking.get(name);
      if (!running) break;
      const settled = await running.then(
        (key) => ({ key }),
        () => undefined,
      );
      if (settled) return settled.key;
    }
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
  }
}
