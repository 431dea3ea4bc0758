// One host that something names, before it is known whether others name it too.
import type { Suggestion } from '../../../contract/model.ts';

export interface Named {
  name: string;
  port: number;
  user?: string | undefined;
  /** Where it is, where the name does not say it. */
  host?: string | undefined;
  addresses: string[];
  from: Suggestion['from'][number];
  /** What to add it by, where host and port do not say it all. */
  uri?: string;
}

/** What may stand as a host in a URI: a name as DNS and ssh_config have it, or an IPv4 address. */
export function isHostName(text: string): boolean {
  return /^(?=.{1,253}$)\w(?:[\w.-]*\w)?$/.test(text);
}
