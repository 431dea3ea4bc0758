// On Windows a folder is held by a named pipe: it has one listener, and is gone with its process. A file would need the
// process's number, which Windows gives away anew soon.
import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';

/** Who has the folder: its process's number, where that could be told. */
export class Taken extends Error {
  readonly pid: number | undefined;
  constructor(pid?: number) {
    super('taken');
    this.pid = pid;
  }
}

/**
 * @returns lets it go again
 * @throws Taken
 */
export async function holdByPipe(dir: string): Promise<() => Promise<void>> {
  const name = (await realpath(dir)).toLowerCase();
  const pipe = `\\\\.\\pipe\\drover-${createHash('sha256').update(name).digest('hex')}`;
  const holder = await whoHas(pipe);
  if (holder !== null) throw new Taken(holder);
  const server = createServer((socket) => socket.on('error', () => {}).end(String(process.pid)));
  return new Promise((resolve, reject) => {
    server.once('error', () => reject(new Taken())); // another was faster
    server.listen(pipe, () => {
      server.unref(); // it holds the folder for as long as there is work, and makes none
      resolve(() => new Promise((closed) => server.close(() => closed())));
    });
  });
}

/** The number that the listener tells; null: nobody listens. */
function whoHas(pipe: string): Promise<number | undefined | null> {
  return new Promise((resolve) => {
    const socket = connect(pipe);
    socket.setTimeout(1_000, () => {
      socket.destroy();
      resolve(undefined); // one that hangs has it all the same, though it may let nobody in any more
    });
    socket.once('error', () => resolve(null));
    socket.once('connect', () => {
      text(socket).then(
        (told) => resolve(Number(told) || undefined),
        () => resolve(undefined),
      );
    });
  });
}
