// Opens the window's link: through the desktop's bridge where there is one, else by WebSocket.
import type { Failure } from '../../contract/failure.ts';
import type { Link } from '../../contract/link.ts';
import { linkPath } from '../../contract/wire.ts';
import { desktopBridge, ElectronLink } from './electron.ts';
import { whyRefused } from './refused.ts';
import { SocketLink } from './socket.ts';
import { onNewToken, takeToken } from './token.ts';

/** @param options.answers Whether this window puts the questions of logins to somebody. */
export function openLink({ answers }: { answers: boolean }): Link {
  const bridge = desktopBridge();
  if (bridge) return new ElectronLink(bridge);
  const token = takeToken();
  onNewToken(() => location.reload());
  const url = new URL(`.${linkPath}`, document.baseURI);
  if (!answers) url.searchParams.set('answers', '0');
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return new SocketLink({ url: url.href, token, explain: () => explain(token) });
}

/** A refused WebSocket tells no reason, a plain request does. */
async function explain(token: string): Promise<Failure> {
  const asked = await fetch(new URL('./api/v1/migrations/options', document.baseURI), {
    method: 'HEAD',
    // Where a proxy brings the token along, the header is the proxy's own login's.
    headers: token ? { authorization: `Bearer ${token}` } : {},
    redirect: 'manual',
    signal: AbortSignal.timeout(5_000),
  });
  return whyRefused(asked);
}
