// The SSH server of a host: who may log in, and the ways from there to libvirt.
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import ssh2 from 'ssh2';
import type { AuthContext, Connection, ServerChannel, Session } from 'ssh2';
import { carryOut } from './commands.ts';
import type { SimHost } from './host.ts';
import type { SshKey } from './keys.ts';
import { connectScreen } from './screens.ts';
import { receive } from './unix-sockets.ts';
import type { Wire } from './wire.ts';

const { Server, utils } = ssh2;

const sockets = /^(?:\/var)?\/run\/libvirt\/libvirt-sock$/;

export class SshServer {
  readonly #host: SimHost;
  readonly #server: InstanceType<typeof Server>;

  constructor(host: SimHost, key: SshKey) {
    this.#host = host;
    // Clients forward to sockets only where the server says that it is OpenSSH's, or like it.
    this.#server = new Server({ hostKeys: [key.privateKey], ident: 'OpenSSH_9.2p1 drover-simulated' }, (client) =>
      this.#greet(client),
    );
  }

  /** Speaks SSH on a connection that somebody else listened for. */
  take(wire: Wire): void {
    this.#server.injectSocket(wire as unknown as Socket);
  }

  #greet(client: Connection): void {
    let user = '';
    client.on('error', () => {});
    client.on('authentication', (context) => {
      user = context.username;
      this.#judge(context);
    });
    client.on('session', (accept) => this.#session(accept(), user));
    client.on('openssh.streamlocal', (accept, reject, { socketPath }) => {
      const incoming = this.#host.fleet.incoming.get(`${this.#host.name}:${socketPath}`);
      if (incoming) return receive(accept(), incoming);
      if (connectScreen(this.#host.daemon, { path: socketPath }, accept)) return undefined;
      if (!sockets.test(socketPath) || !this.#mayUse(user)) return reject();
      this.#toLibvirt(accept());
    });
    client.on('tcpip', (accept, reject, { destIP, destPort }) => {
      const here = ['127.0.0.1', '::1', 'localhost', this.#host.address].includes(destIP);
      if (!here || !connectScreen(this.#host.daemon, { port: destPort }, accept)) reject();
    });
    this.#forward(client);
  }

  /** Unix sockets that lead to the client, as long as it is there. */
  #forward(client: Connection): void {
    const undos = new Map<string, () => void>();
    // Ports are asked for in the same way, and refused.
    client.on('request', (accept, reject, asked: string, about: object) => {
      const [name, path] = [asked, (about as { socketPath?: string }).socketPath];
      if (path !== undefined && name === 'cancel-streamlocal-forward@openssh.com') {
        undos.get(path)?.();
        return accept?.();
      }
      if (path === undefined || name !== 'streamlocal-forward@openssh.com') return reject?.();
      const undo = this.#host.unix.listen(
        path,
        () =>
          new Promise((resolve, fail) => {
            client.openssh_forwardOutStreamLocal(path, (error, channel) => (error ? fail(error) : resolve(channel)));
          }),
      );
      if (!undo) return reject?.();
      undos.set(path, undo);
      return accept?.();
    });
    client.on('close', () => {
      for (const undo of undos.values()) undo();
    });
  }

  #judge(context: AuthContext): void {
    const { fleet, name, spec } = this.#host;
    const refused = fleet.faults.at('auth-refused', { host: name }) !== null;
    const methods = spec.login === 'password' ? (['password'] as const) : (['publickey'] as const);
    const refuse = () => context.reject([...methods]);
    if (refused) return refuse();
    if (spec.login === 'none') return context.accept();
    if (context.method === 'password' && spec.login === 'password') {
      return context.password === fleet.password ? context.accept() : refuse();
    }
    if (context.method !== 'publickey' || spec.login !== 'key') return refuse();
    const known = fleet.authorizedKeys
      .map((line) => utils.parseKey(line))
      .find((key) => {
        return !(key instanceof Error) && key.getPublicSSH().equals(context.key.data);
      });
    if (!known || known instanceof Error) return refuse();
    if (context.signature && context.blob) {
      return known.verify(context.blob, context.signature, context.hashAlgo) === true ? context.accept() : refuse();
    }
    context.accept();
  }

  #mayUse(user: string): boolean {
    return this.#host.spec.user === undefined || this.#host.spec.user === user || user === 'root';
  }

  #session(session: Session, user: string): void {
    session.on('exec', (accept, _reject, { command }) => {
      const channel = accept();
      channel.on('error', () => {});
      carryOut(this.#host, command, {
        mayUse: this.#mayUse(user),
        user,
        toLibvirt: (greeting) => {
          if (greeting) channel.write(greeting);
          this.#toLibvirt(channel, () => this.#exit(channel, 1));
        },
        say: (text, code) => {
          if (text) channel.write(text);
          this.#exit(channel, code);
        },
      });
    });
  }

  #toLibvirt(channel: Duplex, ended = () => {}): void {
    this.#host.daemon.accept(channel);
    channel.on('close', ended);
  }

  #exit(channel: ServerChannel, code: number): void {
    if (channel.writable) channel.exit(code);
    channel.end();
    channel.close();
  }
}
