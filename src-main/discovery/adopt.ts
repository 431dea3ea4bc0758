// Takes neighbours into the fleet, their keys approved by fingerprint.
import type { Args } from '../../contract/calls.ts';
import { Failure, toErr } from '../../contract/failure.ts';
import type { Adopted, HostId, HostView } from '../../contract/model.ts';
import { normalAddress } from './address.ts';
import { SSH_PORT, type Neighbours } from './neighbours.ts';

/** Adds a host whose key was approved. @throws Failure, e.g. `conflict` for one that is there already */
export type AddHost = (uri: string, trust: string) => HostView | Promise<HostView>;

/** Each address on its own: one that fails says why, and the others go on. */
export async function adopt(
  { addresses, user, keyfile, trust }: Args<'neighbours.adopt'>,
  neighbours: Neighbours,
  addHost: AddHost,
): Promise<Adopted> {
  const adopted: Adopted = { hosts: [], failed: [] };
  for (const address of new Set(addresses)) {
    try {
      const where = place(address, neighbours);
      const approved = Object.hasOwn(trust, address) ? trust[address]! : undefined;
      if (where.hostId !== undefined) {
        throw new Failure('conflict', `${address} is one of your hosts already.`, { id: where.hostId });
      }
      adopted.hosts.push(await addHost(uriOf(where, user, keyfile), checkKey(where, approved)));
    } catch (error) {
      adopted.failed.push({ address, err: toErr(error) });
    }
  }
  return adopted;
}

interface Place {
  address: string;
  port: number;
  /** Of the key that a sweep saw there. */
  fingerprint: string | undefined;
  /** Where it is one of the fleet. */
  hostId: HostId | undefined;
}

/** @param given `ADDRESS`, `ADDRESS:PORT` or `[IPV6]:PORT` */
function place(given: string, neighbours: Neighbours): Place {
  const [, v6, v4, portText] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(given) ?? [];
  const address = normalAddress(v6 ?? v4 ?? given);
  const wanted = portText === undefined ? null : Number(portText);
  if (address === null || (wanted !== null && (wanted < 1 || wanted > 65535))) {
    throw new Failure(
      'bad-request',
      `“${given}” is no address that can be adopted. Give for instance 192.168.1.7 or 192.168.1.7:2222.`,
    );
  }
  const open = neighbours.at(address).filter(({ fingerprint }) => fingerprint !== undefined);
  // Without a port: SSH's own where that is open, else where SSH was found.
  const known = open.find(({ port }) => port === (wanted ?? SSH_PORT)) ?? (wanted === null ? open[0] : undefined);
  return { address, port: wanted ?? known?.port ?? SSH_PORT, fingerprint: known?.fingerprint, hostId: known?.hostId };
}

/** The fingerprint that the admin approved, unless a sweep saw another. */
function checkKey({ address, fingerprint }: Place, given: string | undefined): string {
  const approved = given?.replace(/=$/, '');
  const detail = fingerprint === undefined ? undefined : { fingerprint };
  if (approved === undefined) {
    const seen = fingerprint === undefined ? 'no sweep has seen its key yet' : `its key is ${fingerprint}`;
    throw new Failure(
      'untrusted-host-key',
      `${address} is not adopted, as its host key was not approved: ${seen}. Give its fingerprint in \`trust\`.`,
      detail,
    );
  }
  if (fingerprint !== undefined && approved !== fingerprint) {
    throw new Failure(
      'conflict',
      `${address} is not adopted: the key approved is ${approved}, but the one seen there is ${fingerprint}. ` +
        'Find out which is right; if it is the second, approve that one.',
      detail,
    );
  }
  return approved;
}

function uriOf({ address, port }: Place, user: string | undefined, keyfile: string | undefined): string {
  const host = address.includes(':') ? `[${address}]` : address;
  const key = keyfile === undefined ? '' : `?keyfile=${encodeURIComponent(keyfile)}`;
  return `qemu+ssh://${user === undefined ? '' : `${encodeURIComponent(user)}@`}${host}${port === SSH_PORT ? '' : `:${port}`}/system${key}`;
}
