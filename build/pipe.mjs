// Joins a listening socket to another one, each `tcp:PORT` on loopback or `unix:PATH`. The lab's admin side has a
// loopback of its own; a UNIX socket is a path, and so leads from one network namespace into another.
import { createConnection, createServer } from 'node:net';
import { pathToFileURL } from 'node:url';

const options = (address) => {
  const [kind, where] = address.split(/:(.*)/s);
  return kind === 'unix' ? { path: where } : { host: '127.0.0.1', port: Number(where) };
};

/** Listens on `from` and passes everything on to `to`. @returns the server, listening. Rejects where it may not. */
export function pipe(from, to) {
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = createConnection({ ...options(to), allowHalfOpen: true });
    near.pipe(far).pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ]) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  return new Promise((done, refuse) => {
    server.once('error', refuse);
    server.listen(options(from), () => done(server));
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [from, to] = process.argv.slice(2);
  await pipe(from, to);
  console.log('listening');
}
