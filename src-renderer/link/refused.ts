// Why a WebSocket was refused, which a browser tells nobody: read from what a plain request is answered.
import { Failure } from '../../contract/failure.ts';
import { link as words } from '../words/link.ts';

/** `login`: somebody before Drover lets nobody in. `down`: a proxy has no Drover to pass on to. */
export type Refusal = 'token' | 'login' | 'no-socket' | 'stopping' | 'down';

/** @param asked what a call was answered that needs the token, with redirects left alone */
export function refusalOf({ status, ok, headers, type }: Response): Refusal {
  if (status === 401 && /^Bearer realm="Drover"/.test(headers.get('www-authenticate') ?? '')) return 'token';
  // Drover answers with JSON; a page is somebody's before it.
  const page = headers.get('content-type')?.startsWith('text/html') ?? false;
  const redirect = type === 'opaqueredirect' || (status >= 300 && status < 400);
  if (redirect || status === 401 || (page && status < 500)) return 'login';
  if (page) return 'down';
  // 403: the page's Host or Origin is not what Drover was told.
  return ok || status === 403 ? 'no-socket' : 'stopping';
}

/** The same, as the window says it. */
export function whyRefused(asked: Response): Failure {
  switch (refusalOf(asked)) {
    case 'token':
      return new Failure('unauthorized', words.wrongToken);
    case 'login':
      return new Failure('unauthorized', words.login);
    case 'no-socket':
      return new Failure('forbidden', words.noSocket);
    case 'stopping':
      return new Failure('unreachable', words.noWindow);
    case 'down':
      return new Failure('unreachable', words.unreachable);
  }
}
