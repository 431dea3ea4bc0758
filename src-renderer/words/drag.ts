// VMs that are carried: what they are, what a host says to them, and why it refuses.

/** A name, or how many. */
export const carried = (names: readonly string[]) => (names.length === 1 ? (names[0] ?? '') : `${names.length} VMs`);

/** How a host answers; `here`: all of them are on it. */
export const verdicts = {
  ok: 'Can take it',
  warn: 'Can take it, but',
  blocked: 'Cannot take it',
  here: 'Here now',
  checking: 'Asking the hosts…',
  /** Where the answer is not for all that are carried. */
  some: (many: number) => `(${many} of them)`,
};

export const dragRule = {
  here: (vm: string) => `${vm} is already here`,
  /** @param host null where it is not known by name */
  notConnected: (host: string | null) => `${host ?? 'The host it is on'} is not connected`,
  readOnly: (host: string) => `${host} is connected read-only`,
  migrating: (vm: string) => `${vm} is already being migrated`,
  shuttingDown: (vm: string) => `${vm} is shutting down`,
  tooLarge: (vm: string, host: string) => `${vm} has more memory than ${host} has in all`,
  otherArch: (host: string, arch: string, from: string, fromArch: string) =>
    `${host} is ${arch}, ${from} is ${fromArch}`,
  notChecked: 'Not checked: the hosts were not asked, or did not answer',
  /** Where a refusal has no reason. */
  refused: 'This host cannot take it.',
};
