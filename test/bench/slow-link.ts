// A link with delay where the kernel cannot make one: a TCP relay that hands every byte on a little later.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface SlowLink {
  port: number;
  close(): void;
}

/** @param oneWayMs What each direction takes; a round trip takes it twice. */
export async function slowLink(host: string, port: number, oneWayMs: number): Promise<SlowLink> {
  const sockets = new Set<Socket>();
  const hand = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.on('data', (chunk) => setTimeout(() => to.write(chunk), oneWayMs));
    from.on('error', () => {});
    from.on('close', () => setTimeout(() => to.destroy(), oneWayMs));
  };
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ host, port, noDelay: true });
    hand(near, far);
    hand(far, near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

// A process of its own, so that whoever is measured does not slow it.
if (process.send && process.argv[1] === import.meta.filename) {
  const [host = '', port = '', ms = ''] = process.argv.slice(2);
  const link = await slowLink(host, Number(port), Number(ms));
  process.on('disconnect', () => process.exit());
  process.send(link.port);
}
