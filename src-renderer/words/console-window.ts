// A console in a window of its own.
export const consoleWindow = {
  title: (vm: string, host: string) => `${vm} on ${host} – Drover`,
  waiting: 'Connecting to Drover',
  closed: 'This console is closed',
  closedText: 'This window can be closed, too.',
  again: 'Open it again',
  notOpened: 'The browser opened no window. Allow this page to open windows, and try again.',
};
