// How the parts of a batch stand, in words.
import type { MigrationState } from '../../contract/model.ts';
import { jobWord } from './states.ts';

export const partWord = (is: MigrationState | 'waiting') => (is === 'waiting' ? 'Not begun' : jobWord(is).word);

/** `3 completed, 1 failed, 2 not begun`. */
export const countWords = (counts: readonly { is: MigrationState | 'waiting'; many: number }[]) =>
  counts.map(({ is, many }) => `${many} ${partWord(is).toLowerCase()}`).join(', ');
