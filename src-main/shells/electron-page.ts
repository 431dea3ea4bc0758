// The desktop window's page: the built window's files under an address of the app's own.
import { WindowFiles, windowHeaders } from './static.ts';

export const scheme = 'app';
export const origin = `${scheme}://drover`;

const files = new WindowFiles();

/** What the page and its parts ask for; nothing else answers to this scheme. */
export function answerPage({ method, url }: Pick<Request, 'method' | 'url'>): Response {
  const { pathname } = new URL(url);
  const file = method === 'GET' && isOurs(url) ? files.get(pathname) : null;
  const headers = windowHeaders();
  if (!file) return new Response('', { status: 404, headers });
  return new Response(file.body, { headers: { ...headers, ...file.headers } });
}

export function isOurs(url: string): boolean {
  return url.startsWith(`${origin}/`);
}
