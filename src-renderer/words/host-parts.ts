// A host on its way to being trusted and connected: its key, its steps, and what its login asks.
import type { Question } from '../../contract/model.ts';

export const fingerprint = {
  label: (whole: string) => `Fingerprint ${whole}`,
  copy: 'Copy fingerprint',
};

export const hostKeyQuestion = {
  revoked: (host: string) =>
    `The key that ${host} shows is marked as revoked. Someone may hold a copy of it, so Drover does not connect.`,
  changed: (host: string) =>
    `${host} shows another key than before. Either it was installed anew, or someone stands between you and it and could read all that you send. Drover has sent nothing and does not connect.`,
  knownUntilNow: 'Known until now',
  shownNow: 'Shown now',
  shownBy: (host: string) => `Shown by ${host}`,
  /** Around the host's name. */
  newBefore: 'Drover has not met',
  newAfter: 'before. Nothing secret was sent yet. Compare the fingerprint with the host’s own, then trust it.',
  onItsScreen: 'On the host’s own screen:',
  command: (file: string) => `ssh-keygen -lf ${file}`,
  sure: (host: string) => `I know why the key of ${host} changed, and compared the new one`,
  sureHint: 'The key known until now is forgotten; from then on only this one is trusted.',
};

export const hostProgress = {
  label: (host: string) => `Connecting to ${host}`,
};

export const connectSteps = {
  reach: 'Reach it',
  key: 'Check its key',
  login: 'Log in',
  libvirt: 'Open libvirt',
};

export const questionFields = {
  refused: 'That was refused. Try again, or cancel and check the user and the key.',
  says: (host: string) => `${host} says`,
  /** Where the server gave the field no name. */
  answer: 'Answer',
  fate: (kind: Question['kind'], host: string, keep: boolean) =>
    `${
      kind === 'passphrase'
        ? 'The passphrase stays on this machine'
        : `The answer goes to ${host} over its encrypted connection`
    }, and where it is right and no one-time code, it is kept ${
      keep ? 'in this machine’s keychain' : 'in memory until Drover ends'
    }.`,
};
