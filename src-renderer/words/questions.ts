// Which questions of logins one answer is for: the same user's password on several hosts.
import type { Question } from '../../contract/model.ts';

/** A password, asked for by itself or in a dialog of the host's; a one-time code is no use on two hosts. */
function isPassword({ kind, prompts }: Question): boolean {
  const [only, ...more] = prompts;
  if (!only || more.length > 0 || only.echo) return false;
  return kind === 'password' || (kind === 'keyboard-interactive' && /passw/i.test(only.text));
}

/** `root@kvm1`: whom the password is of. */
const user = ({ title }: Question) => title.slice(0, Math.max(0, title.indexOf('@')));

/** The other questions that the answer to this one would be for. */
export function alike(question: Question, all: Iterable<Question>): Question[] {
  if (!isPassword(question)) return [];
  return [...all].filter(
    (other) =>
      other.id !== question.id &&
      isPassword(other) &&
      user(other) === user(question) &&
      other.again === question.again &&
      // What a host says beside it may ask for something else.
      other.instruction === question.instruction,
  );
}
