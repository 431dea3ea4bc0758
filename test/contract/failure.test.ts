// Errors in their travelling form.
import { expect, test } from 'vitest';
import { Failure, statusOf, toErr } from '../../contract/failure.ts';

test('a failure travels as its code, its sentence and its detail', () => {
  const err = toErr(new Failure('refused', 'No.', { checks: [{ id: 'memory' }] }));
  expect(err).toEqual({ code: 'refused', message: 'No.', detail: { checks: [{ id: 'memory' }] } });
  expect(structuredClone(err)).toEqual(err);
  expect(JSON.parse(JSON.stringify(err))).toEqual(err);
  expect(toErr(new Failure('conflict', 'No.'))).toEqual({ code: 'conflict', message: 'No.' });
});

test.each([new TypeError('x is not a function'), 'a string.', undefined, null, { message: 'no Error' }])(
  'what is no failure is an internal error, in a sentence: %s',
  (thrown) => {
    const { code, message } = toErr(thrown);
    expect(code).toBe('internal');
    expect(message).toMatch(/^Drover met an error of its own: .*[^.]\.$/);
  },
);

test('every code has a status that means an error', () => {
  for (const status of Object.values(statusOf)) expect(status).toBeGreaterThanOrEqual(400);
});
