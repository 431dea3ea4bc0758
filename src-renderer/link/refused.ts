// Why a WebSocket was refused, which a browser tells nobody: read from what a plain request is answered.
import { Failure } from '../../contract/failure.ts';
import { link as words } from '../words/link.ts';

/** @param asked what a call was answered that needs the token, with redirects left alone */
export function whyRefused(asked: Response): Failure {
  const { status, headers, type } = asked;
  if (status === 401 && /^Bearer realm="Drover"/.test(headers.get('www-authenticate') ?? ''))
    return new Failure('unauthorized', words.wrongToken);
  // Drover answers with JSON; a page is somebody's before it.
  const page = headers.get('content-type')?.startsWith('text/html') ?? false;
  if (type === 'opaqueredirect' || status === 401 || (page && status < 500))
    return new Failure('unauthorized', words.login);
  if (page) return new Failure('unreachable', words.unreachable);
  return asked.ok ? new Failure('forbidden', words.noSocket) : new Failure('unreachable', words.noWindow);
}
