// The built window's files: read once, known by name, so that no path leads anywhere else.
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
};

export interface WindowFile {
  body: Buffer<ArrayBuffer>;
  headers: Record<string, string>;
}

/** `dist/window`, from the sources as from the bundle: both lie two folders deep. */
export const builtWindow = join(import.meta.dirname, '..', '..', 'dist', 'window');

export class WindowFiles {
  readonly #folder: string;
  #files: Map<string, WindowFile> | null = null;

  constructor(folder = builtWindow) {
    this.#folder = folder;
  }

  /** False where the window was not built. */
  get built(): boolean {
    return this.#read().has('/index.html');
  }

  /** @param path as in an address, e.g. `/` or `/assets/main-1a2b.js` */
  get(path: string): WindowFile | null {
    return this.#read().get(path === '/' ? '/index.html' : path) ?? null;
  }

  #read(): Map<string, WindowFile> {
    return (this.#files ??= new Map(entries(this.#folder)));
  }
}

function* entries(folder: string): Generator<[string, WindowFile]> {
  for (const entry of listed(folder)) {
    const type = types[extname(entry.name)];
    if (!entry.isFile() || !type) continue;
    const path = join(entry.parentPath, entry.name);
    const name = `/${relative(folder, path).split(sep).join('/')}`;
    // The build puts a digest into the names below /assets/.
    const cache = name.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
    yield [name, { body: readFileSync(path), headers: { 'content-type': type, 'cache-control': cache } }];
  }
}

function listed(folder: string) {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** What the window's page may do, which is little. @param connect whom it may talk to besides where it is from */
export function windowHeaders(connect: readonly string[] = []): Record<string, string> {
  const policy = {
    'default-src': "'none'",
    'script-src': "'self'",
    'style-src': "'self' 'unsafe-inline'", // the terminal writes its own style rules
    'img-src': "'self' data:",
    'font-src': "'self'",
    'connect-src': ["'self'", ...connect].join(' '),
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
  };
  return {
    'content-security-policy': Object.entries(policy)
      .map((pair) => pair.join(' '))
      .join('; '),
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  };
}
