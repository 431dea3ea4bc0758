// Why a graphical console shows nothing, in a sentence, with what helps.
import type { GraphicsFailure } from './graphics-screen.ts';

export function graphicsFailure(why: GraphicsFailure, name: string, host: string): string {
  const server = `The VNC server of ${name} on ${host}`;
  switch (why.kind) {
    case 'password':
      return why.said === null
        ? `${server} was given no password that it takes. Try again; it stands in the VM’s definition (virsh dumpxml --security-info).`
        : `${server} did not take the password: “${why.said}”. Try again; it stands in the VM’s definition (virsh dumpxml --security-info).`;
    case 'security':
      return `${server} wants ${why.wants}, which this screen does not speak. Over SSH it is not needed: switch it off in /etc/libvirt/qemu.conf on ${host} (vnc_tls, vnc_sasl) for a server that listens on 127.0.0.1.`;
    case 'refused':
      return `${server} refuses: “${why.said}”. Close other viewers of it, then try again.`;
    case 'broken':
      return `${server} hung up, or said what this screen does not understand. Reconnect; if it comes again, look whether what listens there is a VNC server.`;
    default:
      return why satisfies never;
  }
}
