// Migration that the source's daemon drives by itself, whoever asked for it.
import { migrateFlags as flag, param } from '../../src-main/libvirt/index.ts';
import type { Daemon } from '../daemon.ts';
import type { Domain } from '../domain.ts';
import { refuse } from '../refusal.ts';
import { Dropped } from './deaths.ts';
import type { Step } from './params.ts';
import { begin, confirm, perform } from './source.ts';
import { finish, prepare, targetDriverGone } from './target.ts';

/** The source daemon's connection to the target's: whose end each of them notices. */
class Link {
  readonly number = 0;
  gone = false;
  /** The source's daemon has ended, and what it drove with it. */
  over = false;
  readonly #source: Daemon;
  readonly #target: Daemon;

  constructor(source: Daemon, target: Daemon) {
    this.#source = source;
    this.#target = target;
    source.peers.add(this);
    target.host.links.add(this);
  }

  hangUp(): void {
    if (this.gone) return;
    this.gone = true;
    this.close();
    this.#release();
  }

  #release(): void {
    for (const { incoming } of [...this.#target.domains.values()]) {
      if (incoming?.driver === this) targetDriverGone(incoming);
    }
  }

  end(): void {
    this.over = true;
    this.hangUp();
  }

  close(): void {
    this.#source.peers.delete(this);
    this.#target.host.links.delete(this);
  }

  /** A call over it. @throws Refusal where it broke, Dropped where nobody is left who called */
  async call<T>(ask: () => Promise<T>): Promise<T> {
    if (this.gone) throw this.#lost();
    const answer = await ask().catch((error: unknown) => {
      throw this.over || this.gone ? this.#lost() : error;
    });
    if (!this.gone) return answer;
    // What it had just come to hold there goes with it.
    this.#release();
    throw this.#lost();
  }

  /** A step on its own side. @throws Dropped likewise */
  async own<T>(step: () => Promise<T>): Promise<T> {
    const answer = await step().catch((error: unknown) => {
      throw this.over ? new Dropped() : error;
    });
    if (this.over) throw new Dropped();
    return answer;
  }

  #lost(): Error {
    return this.over ? new Dropped() : refuse.rpc('system_error', 'Cannot recv data: Connection reset by peer');
  }
}

/** Nobody's end but the daemons' own matters. @throws Refusal */
export async function peerToPeer(daemon: Daemon, domain: Domain, step: Step, dconnuri: string): Promise<void> {
  const target = peer(daemon, dconnuri);
  const link = new Link(daemon, target);
  try {
    await drive(daemon, target, domain, step, link);
  } finally {
    link.close();
  }
}

async function drive(daemon: Daemon, target: Daemon, domain: Domain, step: Step, link: Link): Promise<void> {
  const flags = (step.flags & ~flag.peer2peer) | flag.change_protection;
  const onTarget = flags & ~(flag.change_protection | flag.abort_on_error | flag.auto_converge);
  const base = step.params.filter(({ name }) => name !== 'migrate_uri' && name !== 'destination_xml');
  const given = step.params.filter(({ name }) => name === 'migrate_uri');
  const nothing = Buffer.alloc(0);
  const offline = (flags & flag.offline) !== 0;
  const begun = await link.own(() => begin(daemon, domain, { params: step.params, flags }, link));
  const cancel = () => link.own(() => confirm(daemon, domain, { params: base, cookie: nothing, flags, cancelled: 1 }));
  let prepared;
  try {
    const params = [...base, ...given, param.str('destination_xml', begun.xml)];
    prepared = await link.call(() => prepare(target, { params, cookie: begun.cookie, flags: onTarget }, link));
  } catch (error) {
    if (!offline && !(error instanceof Dropped)) await cancel();
    throw error;
  }
  const uri = prepared.uri === null ? given : [param.str('migrate_uri', prepared.uri)];
  const name = base.some((one) => one.name === 'destination_name') ? [] : [param.str('destination_name', domain.name)];
  const atEnd = { params: [...base, ...name], flags: onTarget };
  let cookie: Buffer = nothing;
  if (!offline) {
    try {
      const performing = { params: [...base, ...uri], cookie: prepared.cookie, flags };
      ({ cookie } = await link.own(() => perform(daemon, domain, performing, link)));
    } catch (error) {
      if (!(error instanceof Dropped)) {
        await link.call(() => finish(target, { ...atEnd, cookie: nothing, cancelled: 1 })).catch(() => {});
      }
      throw error;
    }
  }
  try {
    ({ cookie } = await link.call(() => finish(target, { ...atEnd, cookie, cancelled: 0 })));
  } catch (error) {
    // A lost answer counts as a refusal here: the source then runs on, whatever the target does.
    if (!(error instanceof Dropped)) await cancel();
    throw error;
  }
  await link.own(() => confirm(daemon, domain, { params: base, cookie, flags, cancelled: 0 }));
}

/** The other daemon, as this host reaches it. @throws Refusal */
function peer({ fleet, host }: Daemon, uri: string): Daemon {
  const [, address = ''] = /^qemu\+\w+:\/\/(?:[^@/]*@)?(\[[^\]]*\]|[^:/?]*)/.exec(uri) ?? [];
  const target = fleet.hostAt(address.replace(/^\[|\]$/g, ''));
  if (!target || target.down) {
    const message = `Cannot recv data: ssh: connect to host ${address}: No route to host: Connection reset by peer`;
    throw refuse.rpc('system_error', message);
  }
  if (target === host) {
    throw refuse.qemu('internal_error', `internal error: Attempt to migrate guest to the same host ${host.uuid}`);
  }
  return target.daemon;
}
