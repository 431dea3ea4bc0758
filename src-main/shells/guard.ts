// Who may ask: the page's own origin only, and whoever holds the token.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Failure } from '../../contract/failure.ts';
import { tokenOf } from '../../contract/wire.ts';
import { HttpFailure } from './reply.ts';

export interface GuardOptions {
  token: string;
  /** Where it listens. */
  address: string;
  port: number;
  tls: boolean;
  /** Under which others find us, behind a proxy or by our own TLS. */
  publicUrl: URL | null;
}

const digest = (text: string) => createHash('sha256').update(text).digest();

export class Guard {
  readonly #token: Buffer;
  readonly #options: GuardOptions;

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#token = digest(options.token);
  }

  /**
   * Against pages of other sites, which may send requests here and, by a name of theirs that resolves to this
   * machine, even read the answers: `Host` and `Origin` have to be ours, whatever the token.
   * @throws Failure `forbidden`
   */
  checkOrigin(request: IncomingMessage): void {
    const { host, origin } = request.headers;
    const { tls, publicUrl } = this.#options;
    const own = this.#hosts(request);
    const asked = host?.toLowerCase() ?? '';
    if (!own.includes(asked) && asked !== publicUrl?.host) {
      const way = publicUrl
        ? `it is found at ${publicUrl.href}, and a proxy before it has to pass the Host header on as it came`
        : 'ask for it by the address that it printed, or tell it this name by --public-url';
      throw new Failure('forbidden', `Drover is not “${printable(host)}”: ${way}.`);
    }
    if (origin === undefined || origin === publicUrl?.origin) return;
    if (!own.some((name) => origin === `${tls ? 'https' : 'http'}://${name}`)) {
      throw new Failure('forbidden', `Pages of “${printable(origin)}” may not use Drover.`);
    }
  }

  /** @param query where a token in the address is taken too @throws Failure `unauthorized` */
  checkToken(request: IncomingMessage, query?: URLSearchParams): void {
    const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    const offered = tokenOf((request.headers['sec-websocket-protocol'] ?? '').split(/ *, */));
    const given = bearer ?? offered ?? query?.get('token');
    // Digests are of one length, so that comparing tells nothing, not even the token's length.
    if (given && timingSafeEqual(digest(given), this.#token)) return;
    throw new HttpFailure(
      new Failure(
        'unauthorized',
        given
          ? 'The token is not the one of this Drover. It printed the right one when it started.'
          : 'This needs the token that Drover printed when it started, as “Authorization: Bearer TOKEN”.',
      ),
      401,
      { 'www-authenticate': 'Bearer realm="Drover"' },
    );
  }

  /** `Host` headers that mean us: the address that was asked or is listened on, and this machine's names for itself. */
  #hosts({ socket }: IncomingMessage): string[] {
    const { address, port, tls } = this.#options;
    const asked = (socket.localAddress ?? '').replace(/^::ffff:/, '');
    const own = [address, asked].map((one) => (one.includes(':') ? `[${one}]` : one));
    const names = ['localhost', '127.0.0.1', '[::1]', ...own];
    const withPort = names.map((name) => `${name}:${port}`);
    return port === (tls ? 443 : 80) ? [...names, ...withPort] : withPort;
  }
}

const printable = (text: string | undefined) => (text ?? '').replace(/[^\x21-\x7e]/g, '?').slice(0, 200);
