// A key that is tried, in the form that lets ssh2 offer its public half first, and sign only when that was taken.
import { BaseAgent, type ParsedKey } from './ssh2.ts';

export type Signer = (
  data: Buffer,
  hash: string | undefined,
  done: (error: Error | null, signature?: Buffer) => void,
) => void;

export class Offer extends BaseAgent<ParsedKey> {
  readonly #publicKey: ParsedKey;
  readonly #sign: Signer;

  constructor(publicKey: ParsedKey, sign: Signer) {
    super();
    this.#publicKey = publicKey;
    this.#sign = sign;
  }

  override getIdentities(cb: (error?: Error | null, keys?: ParsedKey[]) => void): void {
    cb(null, [this.#publicKey]);
  }

  override sign(
    _key: ParsedKey,
    data: Buffer,
    options: unknown,
    done?: (error?: Error | null, signature?: Buffer) => void,
  ): void {
    const hash = (options as { hash?: string } | undefined)?.hash;
    this.#sign(data, hash, (error, signature) => done?.(error, signature));
  }
}
