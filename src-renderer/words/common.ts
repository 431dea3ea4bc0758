// What many dialogs, lists and menus say alike.

export const buttons = {
  cancel: 'Cancel',
  close: 'Close',
  back: 'Back',
  connect: 'Connect',
  copied: 'Copied',
  tryAgain: 'Try again',
  clearSearch: 'Clear search',
};

/** Where its name is not known, or where not one alone is meant. */
export const theVm = 'the VM';
export const theHost = 'the host';

export const actionsFor = (name: string): string => `Actions for ${name}`;
export const nothingFound = 'Nothing found';
