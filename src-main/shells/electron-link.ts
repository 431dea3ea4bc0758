// drover://HOST/VM: what other programs may ask the desktop app to show. Anybody can make such a link.
import type { DesktopEvents } from '../../contract/desktop.ts';

export const linkScheme = 'drover';

/** As in electron-builder.yml: Windows shows an app's notifications by the name that its shortcut has. */
export const appId = 'io.github.drover.Drover';

/** What a link names; null for anything that is none. */
export function linkOf(text: string): DesktopEvents['show'] | null {
  const [, host = '', vm = ''] = /^drover:\/\/([^/?#]+)(?:\/([^/?#]*))?\/?$/i.exec(text) ?? [];
  try {
    const show = { host: decodeURIComponent(host), vm: decodeURIComponent(vm) || null };
    const named = [show.host, show.vm ?? 'x'].every(
      (name) => name.length > 0 && name.length <= 255 && !/\p{Cc}/u.test(name),
    );
    return named ? show : null;
  } catch {
    return null; // not percent-encoded as it should be
  }
}

/** The first link among a program's arguments. */
export function linkIn(argv: readonly string[]): DesktopEvents['show'] | null {
  for (const word of argv.slice(1)) {
    const link = linkOf(word);
    if (link) return link;
  }
  return null;
}
