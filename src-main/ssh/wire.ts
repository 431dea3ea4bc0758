// What SSH is spoken over: a socket, a channel of another connection, or a program's standard input and output.
import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { SshError, printable } from './error.ts';

export type Wire = Duplex & {
  /** How many bytes were ever heard. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
};

/**
 * Has what is written in one turn go out in one piece: ssh2 writes each packet by itself, and for bulk, e.g. a relayed
 * migration, that is a system call, and a wakeup of the other side, for every 32 KiB.
 */
export function writeTogether(wire: Wire): void {
  const write = wire.write.bind(wire) as (...args: unknown[]) => boolean;
  let held = false;
  wire.write = ((...args: unknown[]) => {
    if (!held) {
      held = true;
      wire.cork();
      process.nextTick(() => {
        held = false;
        wire.uncork();
      });
    }
    return write(...args);
  }) as Wire['write'];
}

const stderrLimit = 4096;
/** OpenSSH's words for a server that closed the connection before it said anything. */
const turnedAway = /MaxStartups|kex_exchange_identification|Connection (?:closed|reset) by/;
/** OpenSSH's words where it had nobody to ask, or no answer helped. */
export const askedInVain = /Permission denied \(|Host key verification failed/;

/**
 * The program is an ssh itself, which found nobody to ask for a password, a passphrase or about a key. The system's ssh
 * hands on to it how Drover asks.
 */
export class HadToAsk extends SshError {}

export const commandFailed = (label: string, said: string) =>
  `The ProxyCommand to ${label} failed (${printable(said)}). Try it by hand, or mend it in OpenSSH’s configuration.`;

/** How long a program may take to leave by itself once its input has ended. */
const leavingMs = 1000;

/** A `ProxyCommand`: what its program says is what the host says. */
export class CommandWire extends Duplex {
  readonly #child;
  bytesRead = 0;
  bytesWritten = 0;
  #stderr = '';

  /** @param command For the user's shell. */
  constructor(command: string, label: string) {
    super({ allowHalfOpen: false });
    // `exec`, so that it is the program itself that is ended; a group, so that what it started goes too.
    this.#child = spawn(process.env['SHELL'] || '/bin/sh', ['-c', `exec ${command}`], {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    });
    const { stdin, stdout, stderr } = this.#child;
    stdin.on('error', () => undefined); // its end is told below
    stdout.on('data', (chunk: Buffer) => {
      this.bytesRead += chunk.length;
      if (!this.push(chunk)) stdout.pause();
    });
    stderr.on('data', (chunk: Buffer) => {
      if (this.#stderr.length < stderrLimit) this.#stderr += chunk.toString('utf8');
    });
    this.#child.on('error', (error) => this.destroy(this.#failed(label, error.message)));
    this.#child.on('close', (code) => {
      if (this.bytesRead > 0 || code === 0) this.push(null);
      else this.destroy(this.#failed(label, this.#stderr || `it ended with ${code ?? 'a signal'}`));
    });
    this.on('error', () => undefined); // it may break before anybody listens
  }

  override _read(): void {
    this.#child.stdout.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.bytesWritten += chunk.length;
    this.#child.stdin.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#child.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#child.stdin.destroy();
    this.#child.stdout.destroy();
    const end = (signal: NodeJS.Signals) => {
      const { pid, exitCode, signalCode } = this.#child;
      if (pid === undefined || exitCode !== null || signalCode !== null) return;
      try {
        process.kill(process.platform === 'win32' ? pid : -pid, signal);
      } catch {
        // It has just left.
      }
    };
    end('SIGTERM');
    setTimeout(() => end('SIGKILL'), leavingMs).unref();
    done(error);
  }

  #failed(label: string, said: string): SshError {
    const message = commandFailed(label, said);
    if (askedInVain.test(said)) return new HadToAsk('unreachable', 'connect', message);
    return turnedAway.test(said)
      ? new SshError('lost', 'banner', message)
      : new SshError('unreachable', 'connect', message);
  }
}
