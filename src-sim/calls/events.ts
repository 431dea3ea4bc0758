// Who is told of what. Ids are the daemon's own, counted over all its connections.
import { events } from '../../src-main/libvirt/index.ts';
import type { EventName } from '../../src-main/libvirt/index.ts';
import type { Client } from '../client.ts';
import { refuse } from '../refusal.ts';
import type { At, Handlers } from './handlers.ts';

type Source = (typeof events)[EventName]['source'];

/** Events that the daemon has, and the client's table does not: accepted, and never sent. */
const silent: Partial<Record<Source, number[]>> = { domain: [4] };
/** Ids that this daemon's version does not know yet. */
const MOST: Partial<Record<Source, number>> = { domain: 26, network: 0, storage_pool: 1, node_device: 1 };

function register(source: Source, id: number, uuid: string | null, { client, daemon }: At): { callback: number } {
  if (id < 0 || id > (MOST[source] ?? 0)) {
    throw refuse.rpc('internal_error', `internal error: unsupported event ID ${id}`);
  }
  const name = Object.entries(events).find(([, row]) => row.source === source && row.id === id)?.[0] as EventName;
  const callback = daemon.nextCallback();
  if (name) client.registrations.set(callback, { event: name, uuid });
  else if (!silent[source]?.includes(id))
    throw refuse.rpc('internal_error', `internal error: unsupported event ID ${id}`);
  else client.registrations.set(callback, { event: 'control_error', uuid: 'never' });
  return { callback };
}

function deregister(client: Client, callback: number): Record<string, never> {
  if (!client.registrations.delete(callback)) {
    const what = `event callback id ${callback} not registered`;
    throw refuse.rpc('internal_error', `internal error: domain ${what}`);
  }
  return {};
}

export const eventCalls: Handlers = {
  connect_domain_event_callback_register_any: ({ event, dom }, at) => register('domain', event, dom?.uuid ?? null, at),
  connect_domain_event_callback_deregister_any: ({ callback }, { client }) => deregister(client, callback),
  connect_network_event_register_any: ({ event, net }, at) => register('network', event, net?.uuid ?? null, at),
  connect_network_event_deregister_any: ({ callback }, { client }) => deregister(client, callback),
  connect_storage_pool_event_register_any: ({ event, pool }, at) =>
    register('storage_pool', event, pool?.uuid ?? null, at),
  connect_storage_pool_event_deregister_any: ({ callback }, { client }) => deregister(client, callback),
  connect_node_device_event_register_any: ({ event }, at) => register('node_device', event, null, at),
  connect_node_device_event_deregister_any: ({ callback }, { client }) => deregister(client, callback),
};
