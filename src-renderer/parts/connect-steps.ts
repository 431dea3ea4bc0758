// The steps by which a host comes online, and where one stands, told from its state alone.
import type { HostView } from '../../contract/model.ts';
import { connectSteps as words } from '../words/host-parts.ts';

export interface Step {
  id: 'reach' | 'key' | 'login' | 'libvirt';
  word: string;
  state: 'done' | 'now' | 'stopped' | 'later';
}

const order = ['reach', 'key', 'login', 'libvirt'] as const;

/** @param asking A login question of this host is waiting for its answer. */
export function connectSteps(host: Pick<HostView, 'state' | 'hostKey' | 'uri'>, asking: boolean): Step[] {
  const local = !host.uri.includes('+ssh:');
  const steps = local ? order.filter((id) => id === 'libvirt') : order;
  const { at, stopped } = where(host, asking);
  const place = steps.findIndex((id) => id === at);
  return steps.map((id, index) => ({
    id,
    word: words[id],
    state:
      host.state === 'online' || index < place
        ? 'done'
        : index > place || host.state === 'disconnected'
          ? 'later'
          : stopped
            ? 'stopped'
            : 'now',
  }));
}

function where(
  { state, hostKey, uri }: Pick<HostView, 'state' | 'hostKey' | 'uri'>,
  asking: boolean,
): { at: Step['id']; stopped: boolean } {
  if (!uri.includes('+ssh:')) return { at: 'libvirt', stopped: state !== 'connecting' };
  switch (state) {
    case 'online':
      return { at: 'libvirt', stopped: false };
    case 'connecting':
      return { at: asking || hostKey?.status === 'trusted' ? 'login' : 'reach', stopped: false };
    case 'untrusted':
      return { at: 'key', stopped: hostKey?.status === 'changed' };
    case 'auth-failed':
      return { at: 'login', stopped: true };
    case 'not-libvirt':
      return { at: 'libvirt', stopped: true };
    case 'unreachable':
    case 'disconnected':
      return { at: 'reach', stopped: true };
    default:
      return state satisfies never;
  }
}
