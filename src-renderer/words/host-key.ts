// The dialog about a host's key: to be trusted, to be replaced, to be looked at.

export const hostKey = {
  trustedTitle: (host: string) => `The key of ${host}`,
  changedTitle: (host: string) => `The key of ${host} is not the one known`,
  newTitle: (host: string) => `Trust ${host}?`,
  trusted: 'Trusted',
  close: 'Close',
  doNotConnect: 'Do not connect',
  notSure: 'Say first that you know why the key changed',
  replace: 'Replace the key and connect',
  notNow: 'Not now',
  trust: 'Trust and connect',
};
