// Hosts and VMs by the names that people call them.
import { Failure } from '../../contract/failure.ts';
import type { DomainView, HostView } from '../../contract/model.ts';
import type { Core } from './core.ts';

export const isSettled = ({ state }: HostView) => state !== 'connecting';

/** The hosts, once those that connect have come through or failed; as they are when the time is over. */
export async function settledHosts(core: Core, waitMs: number, wanted: (host: HostView) => boolean = () => true) {
  const hosts = new Map((await core.call('hosts.list', {})).map((host) => [host.id, host]));
  const mine = () => [...hosts.values()].filter(wanted);
  if (mine().every(isSettled)) return mine();
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      off();
      resolve();
    };
    const timer = setTimeout(end, waitMs);
    const off = core.on('deltas', ({ deltas }) => {
      for (const { event, data } of deltas) {
        if (event !== 'host') continue;
        if ('removed' in data) hosts.delete(data.id);
        else hosts.set(data.id, data);
      }
      if (mine().every(isSettled)) end();
    });
    // What changed before we listened is in a list that is taken now.
    void core.call('hosts.list', {}).then(
      (now) => {
        for (const host of now) if (isSettled(host)) hosts.set(host.id, host);
        if (mine().every(isSettled)) end();
      },
      () => end(),
    );
  });
  return mine();
}

const names = (hosts: readonly HostView[]) =>
  hosts.length === 0
    ? 'There are none yet: add one with “drover add URI”.'
    : `There are: ${hosts.map(({ label }) => label).join(', ')}.`;

/** By label, host name, URI or id. @throws Failure `not-found`, `conflict` */
export async function findHost(core: Core, name: string): Promise<HostView> {
  const hosts = await core.call('hosts.list', {});
  for (const fits of [
    (host: HostView) => host.id === name || host.uri === name,
    (host: HostView) => host.label === name,
    (host: HostView) => host.info?.hostname === name,
  ]) {
    const found = hosts.filter(fits);
    if (found.length > 1) {
      throw new Failure(
        'conflict',
        `Several hosts are called “${name}”. Name one by its id: ${found.map(({ id }) => id).join(', ')}.`,
      );
    }
    if (found[0]) return found[0];
  }
  throw new Failure('not-found', `There is no host “${name}”. ${names(hosts)}`);
}

/** As `findHost`, once it is online. @throws Failure also what keeps it from being online */
export async function onlineHost(core: Core, name: string, waitMs: number): Promise<HostView> {
  const { id } = await findHost(core, name);
  const [host] = await settledHosts(core, waitMs, (one) => one.id === id);
  if (!host) throw new Failure('not-found', `There is no host “${name}” any more.`);
  if (host.state === 'online') return host;
  throw absent(host);
}

/** Why a host is not there. */
export function absent({ label, error, state }: HostView): Failure {
  if (error) return new Failure(error.code, error.message, error.detail);
  return state === 'disconnected'
    ? new Failure('unreachable', `${label} is not connected. Connect it with “drover connect ${label}”.`)
    : new Failure('timeout', `${label} is still connecting. Wait longer with --wait SECONDS.`);
}

export interface Found {
  domain: DomainView;
  host: HostView;
}

export const isOff = ({ state }: DomainView) => state === 'shutoff' || state === 'crashed';

/**
 * By name or UUID, or as HOST/NAME.
 * @throws Failure `not-found`, `conflict` where several fit
 */
export async function findVm(core: Core, text: string, waitMs: number): Promise<Found> {
  const slash = text.lastIndexOf('/');
  const name = text.slice(slash + 1);
  const hosts = slash < 0 ? await settledHosts(core, waitMs) : [await onlineHost(core, text.slice(0, slash), waitMs)];
  const lists = await Promise.all(hosts.map(({ id }) => core.call('hosts.domains', { id })));
  const found = lists
    .flatMap((domains, at) => domains.map((domain) => ({ domain, host: hosts[at] as HostView })))
    .filter(({ domain }) => domain.name === name || domain.uuid === name.toLowerCase());
  // Of one that stands on several hosts, the one that runs is meant.
  const alive = found.filter(({ domain }) => !isOff(domain) && !domain.stale);
  const sameOne = found.every(({ domain }) => domain.uuid === found[0]?.domain.uuid);
  const meant = sameOne && alive.length === 1 ? alive : found;
  if (meant.length > 1) {
    const ways = meant.map(({ host, domain }) => `${host.label}/${domain.name}`).join(', ');
    throw new Failure('conflict', `Several VMs are called “${name}”. Say which: ${ways}.`);
  }
  if (meant[0]) return meant[0];
  const missing = hosts.filter(({ state }) => state !== 'online');
  const unseen = missing.length > 0 ? ` Not connected: ${missing.map(({ label }) => label).join(', ')}.` : '';
  throw new Failure('not-found', `There is no VM “${name}”${slash < 0 ? '' : ` on ${hosts[0]?.label}`}.${unseen}`);
}
