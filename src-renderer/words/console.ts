// A VM's serial console: its tools, its search, its log, and what it asks before a paste or a link.

export const consoleFrame = {
  label: (what: string, vm: string, host: string) => `${what} of ${vm} on ${host}`,
  states: { opening: 'Connecting', open: 'Connected', closed: 'Closed', failed: 'Failed' },
  reconnect: 'Reconnect',
  connecting: 'It is connecting',
  detach: 'Into a window of its own',
  close: 'Close this console',
  takeOver: 'Take over',
  takeOverHint: 'Taking over ends the other program’s session.',
  ended: (vm: string) =>
    `The console of ${vm} ended: the guest shut down or its port was closed. It comes back when ${vm} runs again.`,
};

/** What stands in the terminal itself, set apart from what the guest says. */
export const consoleNotes = {
  notTyped: (why: string) => `what was typed did not arrive: ${why}`,
  gap: 'bytes may be missing here',
  moved: (from: string, to: string) => `moved from ${from} to ${to}`,
  closed: 'closed',
  ended: 'closed: the guest ended it',
  cut: 'The window lost Drover itself; the console comes back with it.',
};

export const consolePane = {
  what: 'Console',
  unloadable: 'The terminal could not be loaded. Reload the window, and see whether Drover still runs.',
  logging: 'logging to a file',
  enterToo: 'or press Enter in the terminal',

  search: 'Search',
  searchHere: 'Search this console',
  hits: (at: number, all: number) => (all === 0 ? 'none' : `${at} of ${all}`),
  previous: 'Previous',
  next: 'Next',
  endSearch: 'End search',

  copy: 'Copy the selection, or all',
  clear: 'Clear the scrollback',
  more: 'More',
  menu: 'More of this console',
  larger: 'Larger letters',
  smaller: 'Smaller letters',
  usual: 'Usual letters',

  save: 'Save output…',
  startLog: 'Log to file…',
  endLog: 'End the log',
  noStreams: 'This browser cannot write to a file as it comes: Chromium, Chrome and Edge can',
  notSaved: (name: string, why: string) => `The output of ${name} could not be saved: ${why}.`,
  logNotBegun: (name: string, why: string) => `The log of ${name} could not be begun: ${why}.`,
  logEnded: (name: string, why: string) =>
    `The log of ${name} ended: ${why}. What was written before is kept; start it again in another file.`,

  pasteQuestion: (lines: number, name: string, host: string) => `Paste ${lines} lines into ${name} on ${host}?`,
  pasteAbout: 'Each line may run as a command at once.',
  pasteUnasked: 'Don’t ask again in this console',
  paste: 'Paste',

  linkQuestion: 'Open this link?',
  linkAbout: (name: string) => `${name} printed it; Drover cannot tell where it leads.`,
  openLink: 'Open in browser',
};

/** Why a log cannot go on. */
export const logFile = {
  tooSlow: 'the disk is too slow for it',
};

export const pasteGuard = {
  more: (lines: number) => `… ${lines} more`,
};
