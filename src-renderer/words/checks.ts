// What a preflight found, and what a check offers to do about it.

export const checkList = {
  label: 'What the checks found',
  /** Read out before a check. */
  ok: 'Fine',
  warn: 'Warning',
  error: 'Blocks',
  passed: (many: number) => `${many} ${many === 1 ? 'check' : 'checks'} passed`,
};

export const remedyOffer = {
  /** By what is shown of it. */
  shows: {
    command: 'Drover does what this command would do:',
    'xml-diff': 'This changes in its XML:',
    options: 'The migration gets this option:',
  },
  preview: 'What is done',
  /** It is shown first. */
  later: (label: string) => `${label}…`,
  notNow: 'Not now',
};
