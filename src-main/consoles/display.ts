// Where a VM's VNC server listens on its host, as its live XML says, and a stream to it.
import type { Duplex } from 'node:stream';
import { Failure } from '../../contract/failure.ts';
import type { Uuid } from '../../contract/model.ts';
import { graphicsOf, type GraphicsFacts } from '../fleet/domain-xml.ts';
import { explain } from '../fleet/explain.ts';
import type { Host } from '../fleet/host.ts';
import type { Place } from '../fleet/reach.ts';

export interface DisplayOptions {
  host: Host;
  uuid: Uuid;
  name: string;
  /** `vnc0`; null for the first one. */
  target: string | null;
}

/** What a line needs of it. */
export interface Display {
  readonly host: Host;
  readonly target: string;
  readonly stream: Duplex;
}

/** @throws Failure `not-found`, `unsupported`, `libvirt`, `unreachable` */
export async function openDisplay({ host, uuid, name, target }: DisplayOptions): Promise<Display> {
  host.mustBeWritable(); // whoever sees it types into it
  let xml: string;
  try {
    ({ xml } = await host.connection.call('domain_get_xml_desc', { dom: { name, uuid }, flags: 0 }));
  } catch (error) {
    throw explain(error, host.label, `looking for the screen of ${name}`);
  }
  const found = chosen(graphicsOf(xml), target, `${name} on ${host.label}`);
  return { host, target: found.target, stream: await host.dial(placeOf(found, `${name} on ${host.label}`)) };
}

/** @throws Failure where there is none that can be shown */
function chosen(graphics: readonly GraphicsFacts[], target: string | null, vm: string): GraphicsFacts {
  const found =
    target === null ? graphics.find(({ kind }) => kind === 'vnc') : graphics.find((one) => one.target === target);
  if (found?.kind === 'vnc') return found;
  const vnc = graphics.filter(({ kind }) => kind === 'vnc').map((one) => one.target);
  if (target !== null && !found) {
    throw new Failure('not-found', `${vm} has no screen “${target}”, only ${vnc.join(', ') || 'none'}.`);
  }
  if (graphics.length === 0) {
    throw new Failure('not-found', `${vm} has no screen. Add a VNC graphics device to it, <graphics type='vnc'/>.`);
  }
  throw new Failure(
    'unsupported',
    `${vm} shows its screen by ${graphics[0]?.kind.toUpperCase()} only, which Drover does not speak. Add a VNC graphics device to it, <graphics type='vnc'/>; a VM can have both.`,
  );
}

/** @throws Failure where nobody can connect to it */
function placeOf({ socket, address, port }: GraphicsFacts, vm: string): Place {
  if (socket !== null) return { path: socket };
  if (port !== null) return { host: loopbackFor(address), port };
  throw new Failure(
    'unsupported',
    `The VNC server of ${vm} listens nowhere. Let it listen on an address of the host, or on a socket: <listen type='address' address='127.0.0.1'/>.`,
  );
}

/** A server that listens on all addresses is reached by the host from within. */
function loopbackFor(address: string | null): string {
  if (address === null || address === '' || address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}
