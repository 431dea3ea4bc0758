// The dialog with what logins ask.
import { count } from './format.ts';

export const questions = {
  password: (title: string) => `Password for ${title}`,
  passphrase: (title: string) => `Passphrase for the key ${title}`,
  asks: (title: string) => `${title} asks`,
  about: (host: string) => `To log in to ${host}`,
  useForOthers: (many: number) => `Use for ${count(many, 'other host', 'other hosts')}, too`,
  /** The first few by name. */
  others: (names: readonly string[]) =>
    names.slice(0, 6).join(', ') + (names.length > 6 ? ` and ${names.length - 6} more` : ''),
  keep: 'Remember in the keychain',
  keepHint: 'Encrypted, until it is wrong or you have it forgotten (Ctrl+K)',
  waiting: (many: number) => `${count(many, 'more question', 'more questions')} after this`,
  cancel: 'Cancel login',
  cancelSeveral: (many: number) => `Cancel ${many} logins`,
  logIn: 'Log in',
};
