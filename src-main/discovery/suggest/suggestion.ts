// One host that something names, before it is known whether others name it too.
import type { Suggestion } from '../../../contract/model.ts';

export interface Named {
  name: string;
  port: number;
  user?: string | undefined;
  keyfile?: string | undefined;
  /** Where to connect to, where that is not the name. */
  host?: string | undefined;
  addresses: string[];
  from: Suggestion['from'][number];
}

/** What may stand as a host in a URI: a name as DNS and ssh_config have it, or an address. */
export function isHostName(text: string): boolean {
  return /^(?=.{1,253}$)[\p{L}\p{N}_](?:[\p{L}\p{N}_.-]*[\p{L}\p{N}_.])?$/u.test(text);
}

/** Whether a text fits a pattern with `*` and `?`. */
export function fitting(pattern: string): (text: string) => boolean {
  // Runs of `*` are as one: else a hostile pattern costs hours.
  const parts = pattern.replace(/\*+/g, '*').replace(/[.+^${}()|[\]\\]/g, '\\$&');
  const whole = new RegExp(`^${parts.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'i');
  return (text) => whole.test(text);
}
