// The two courses that a migration's steps can take, each with connections of its own for as long as it lasts.
import type { Host } from '../fleet/host.ts';
import type { Connection } from '../libvirt/index.ts';
import { type End, ManagedMove, type Plan, type Watch } from './managed.ts';
import { type PeerPlan, type PeerWatch, runPeers } from './peers.ts';

/** The steps and the connections that they go over. */
export interface Ours {
  move: ManagedMove;
  source: Connection;
  target: Connection;
}

/** Driven by Drover. @param then What comes of its end, while its connections are still there. */
export async function bySteps<Outcome>(
  from: Host,
  to: Host,
  plan: Plan,
  watch: Watch,
  then: (end: End, ours: Ours) => Promise<Outcome>,
): Promise<Outcome> {
  // Connections of its own, that never ask whether the other side lives: an outage of the admin's link is waited out.
  const [source, target] = await both(from.open({ keepalive: false }), to.open({ keepalive: false }));
  try {
    const move = new ManagedMove(source, target, plan, watch);
    return await then(await move.run(), { move, source, target });
  } finally {
    void source.close();
    void target.close();
  }
}

/** Driven by the source's daemon. @param left Resolves when it is to go on without us. */
export async function byDaemons<Outcome>(
  from: Host,
  plan: PeerPlan,
  watch: PeerWatch,
  left: Promise<'left'>,
  then: (end: End | 'left') => Promise<Outcome>,
): Promise<Outcome> {
  const source = await from.open({ keepalive: true });
  try {
    return await then(await Promise.race([runPeers(source, plan, watch), left]));
  } finally {
    void source.close();
  }
}

/** Both, or neither: what was opened is closed where the other could not be. */
async function both(a: Promise<Connection>, b: Promise<Connection>): Promise<[Connection, Connection]> {
  const [first, second] = await Promise.allSettled([a, b]);
  if (first.status === 'fulfilled' && second.status === 'fulfilled') return [first.value, second.value];
  for (const one of [first, second]) if (one.status === 'fulfilled') void one.value.close();
  throw (first.status === 'rejected' ? first.reason : (second as PromiseRejectedResult).reason) as Error;
}
