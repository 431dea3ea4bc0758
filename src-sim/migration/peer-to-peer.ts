// Migration that the source's daemon drives by itself, whoever asked for it.
import { migrateFlags as flag, param } from '../../src-main/libvirt/index.ts';
import type { Daemon } from '../daemon.ts';
import type { Domain } from '../domain.ts';
import { refuse } from '../refusal.ts';
import type { Driver } from './jobs.ts';
import type { Step } from './params.ts';
import { begin, confirm, perform } from './source.ts';
import { finish, prepare } from './target.ts';

/** Nobody's end but the daemons' own matters. @throws Refusal */
export async function peerToPeer(daemon: Daemon, domain: Domain, step: Step, dconnuri: string): Promise<void> {
  const target = peer(daemon, dconnuri);
  const driver: Driver = { number: 0, gone: false, hangUp() {} };
  const flags = (step.flags & ~flag.peer2peer) | flag.change_protection;
  const onTarget = flags & ~(flag.change_protection | flag.abort_on_error | flag.auto_converge);
  const base = step.params.filter(({ name }) => name !== 'migrate_uri' && name !== 'destination_xml');
  const given = step.params.filter(({ name }) => name === 'migrate_uri');
  const nothing = Buffer.alloc(0);
  const offline = (flags & flag.offline) !== 0;
  const begun = await begin(daemon, domain, { params: step.params, flags }, driver);
  const cancel = { params: base, cookie: nothing, flags, cancelled: 1 };
  let prepared;
  try {
    const params = [...base, ...given, param.str('destination_xml', begun.xml)];
    prepared = await prepare(target, { params, cookie: begun.cookie, flags: onTarget }, driver);
  } catch (error) {
    if (!offline) await confirm(daemon, domain, cancel);
    throw error;
  }
  const uri = prepared.uri === null ? given : [param.str('migrate_uri', prepared.uri)];
  const name = base.some((one) => one.name === 'destination_name') ? [] : [param.str('destination_name', domain.name)];
  const atEnd = { params: [...base, ...name], flags: onTarget };
  let cookie: Buffer = nothing;
  if (!offline) {
    try {
      ({ cookie } = await perform(
        daemon,
        domain,
        { params: [...base, ...uri], cookie: prepared.cookie, flags },
        driver,
      ));
    } catch (error) {
      await finish(target, { ...atEnd, cookie: nothing, cancelled: 1 }).catch(() => {});
      throw error;
    }
  }
  try {
    ({ cookie } = await finish(target, { ...atEnd, cookie, cancelled: 0 }));
  } catch (error) {
    await confirm(daemon, domain, cancel);
    throw error;
  }
  await confirm(daemon, domain, { params: base, cookie, flags, cancelled: 0 });
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
