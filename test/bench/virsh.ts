// The URI by which virsh reaches a lab's host: its ssh looks into root's own known_hosts, whatever a URI names.
import type { Lab } from '../lab/lab.ts';

export function virshUri(lab: Lab, name: string): string {
  const { user, address } = lab.host(name);
  return `qemu+ssh://${user}@${address}/system?keyfile=${lab.admin.keys.ed25519}&no_verify=1`;
}
