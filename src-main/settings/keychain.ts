// Answers that are to outlive the session: encrypted by the system's keychain, which the desktop shell brings along.
// Without one nothing is kept, and nothing that was kept is read.
import { z } from 'zod';
import type { Document } from './document.ts';

/** The system's keychain. */
export interface Cipher {
  encrypt(text: string): Buffer;
  /** @throws where it is not this machine's, or no longer */
  decrypt(blob: Buffer): string;
}

/** What an answer is to, and the answer, encrypted. */
export const keptForm: z.ZodType<Record<string, string>> = z.record(z.string(), z.string());

export class Keychain {
  readonly #cipher: Cipher | null;
  readonly #document: Document<Record<string, string>> | null;

  constructor(cipher: Cipher | null, document: Document<Record<string, string>> | null) {
    this.#cipher = cipher;
    this.#document = document;
  }

  get available(): boolean {
    return this.#cipher !== null && this.#document !== null;
  }

  recall(name: string): string | null {
    const blob = this.#kept[name];
    if (blob === undefined || !this.#cipher) return null;
    try {
      return this.#cipher.decrypt(Buffer.from(blob, 'base64'));
    } catch {
      // The keychain may only be locked now. What is typed instead takes its place.
      return null;
    }
  }

  keep(name: string, secret: string): void {
    if (!this.#cipher) return;
    this.#document?.set({ ...this.#kept, [name]: this.#cipher.encrypt(secret).toString('base64') });
  }

  forget(name: string): void {
    const { [name]: there, ...others } = this.#kept;
    if (there !== undefined) this.#document?.set(others);
  }

  /** @returns how many there were */
  async forgetAll(): Promise<number> {
    const count = Object.keys(this.#kept).length;
    this.#document?.set({});
    await this.#document?.flush();
    return count;
  }

  get #kept(): Record<string, string> {
    return this.#document?.value ?? {};
  }
}
