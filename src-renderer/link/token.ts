// The token that `drover serve` printed: taken from the address bar, kept for this tab, shown no longer.
const key = 'drover.token';
const mark = '#token=';

/** The token of this tab; empty where the page was opened without one. */
export function takeToken(): string {
  if (location.hash.startsWith(mark)) {
    sessionStorage.setItem(key, decoded(location.hash.slice(mark.length)));
    history.replaceState(null, '', location.pathname + location.search);
  }
  return sessionStorage.getItem(key) ?? '';
}

/** A token pasted into an open tab changes only the fragment, which loads nothing: start over with it. */
export function onNewToken(begin: () => void): void {
  addEventListener('hashchange', () => {
    if (!location.hash.startsWith(mark)) return;
    takeToken();
    begin();
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
