// An answer as code wants it: the result, or a thrown `Failure`.
import { Failure } from '../../contract/failure.ts';
import type { Answer } from '../../contract/link.ts';

/** @throws Failure when the answer is one */
export function resultOf<R>(answer: Answer<R>): R {
  if (answer.err) throw new Failure(answer.err.code, answer.err.message, answer.err.detail);
  return answer.data;
}
