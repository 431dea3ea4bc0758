// How a check is said: a sentence, its level, and what helps.
import type { Check, Remedy } from '../../../contract/model.ts';

export const ok = (id: string, message: string): Check => ({ id, level: 'ok', message });

export const warn = (id: string, message: string, fix?: string, remedies: Remedy[] = []): Check =>
  said(id, 'warn', message, fix, remedies);

export const error = (id: string, message: string, fix?: string, remedies: Remedy[] = []): Check =>
  said(id, 'error', message, fix, remedies);

export function said(
  id: string,
  level: Check['level'],
  message: string,
  fix: string | undefined,
  remedies: Remedy[],
): Check {
  return { id, level, message, ...(fix !== undefined && { fix }), ...(remedies.length > 0 && { remedies }) };
}

/** libvirt's own words, as part of a sentence. */
export const quoted = (thrown: unknown) => `“${thrown instanceof Error ? thrown.message : String(thrown)}”`;
