// The command line: understands it, runs what it asks for, and turns signals into an orderly end.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Failure } from '../../contract/failure.ts';
import type { Drover, Start } from '../api/drover.ts';
import { listenOf, type ListenFlags } from './listen.ts';
import { openWindow } from './open-window.ts';
import { serve } from './serve.ts';
import { addressWith, makeToken } from './token.ts';

const help = `Drover: see every libvirt host and VM, and move VMs between hosts while they run.

Usage
  drover serve [options]   serve the window and the automation API
  drover demo              the same with --demo --open, keeping nothing
  drover --help            this
  drover --version         its version

Options of serve
  --listen ADDRESS:PORT    where to listen (127.0.0.1:7420); port 0 takes a free one
  --data DIR               where hosts, known keys and settings are kept
  --open                   open the window in a browser
  --demo                   with a simulated fleet: nothing about it is real
  --allow-remote           listen on other addresses than loopback; needs TLS, by one of:
    --tls-cert FILE --tls-key FILE
    --public-url URL       the https:// address of a proxy that does TLS

The token that every call needs is $DROVER_TOKEN, or a fresh one, printed when it is ready.
`;

const options = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
  listen: { type: 'string' },
  data: { type: 'string' },
  open: { type: 'boolean' },
  demo: { type: 'boolean' },
  'allow-remote': { type: 'boolean' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'public-url': { type: 'string' },
} as const;

/** What cannot be understood, as against what cannot be done. */
class UsageError extends Error {}

/** Runs one command line; ends the process with 0, with 1 where it failed, with 2 where it was not understood. */
export async function runCli(start: Start, args: readonly string[]): Promise<void> {
  try {
    await run(start, args);
  } catch (error) {
    const said = error instanceof Failure || error instanceof UsageError ? error.message : (error as Error).stack;
    console.error(`drover: ${said}`);
    process.exit(error instanceof UsageError ? 2 : 1);
  }
}

async function run(start: Start, args: readonly string[]): Promise<void> {
  const { values, positionals } = understood(args);
  if (values.help) return void process.stdout.write(help);
  if (values.version) return void process.stdout.write(`${version()}\n`);
  const [command, ...rest] = positionals;
  if (command === undefined) throw new UsageError(`Nothing to do. “drover --help” tells what there is.`);
  if (command !== 'serve' && command !== 'demo')
    throw new UsageError(`There is no command “${command}”. “drover --help” tells what there is.`);
  if (rest.length > 0) throw new UsageError(`“drover ${command}” does not know what to do with “${rest.join(' ')}”.`);
  await (command === 'demo' ? runDemo(start, values) : runServe(start, values));
}

type Flags = ReturnType<typeof understood>['values'];

function understood(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // Node's sentences name the flag; what they advise after it does not fit here.
    const [said = ''] = (error as Error).message.split('. ');
    throw new UsageError(`${said.replace(/\.$/, '')}. “drover --help” tells what there is.`);
  }
}

/** A data folder that goes with it: a try leaves nothing behind. */
async function runDemo(start: Start, flags: Flags): Promise<void> {
  const data = flags.data ?? mkdtempSync(join(tmpdir(), 'drover-demo-data-'));
  if (!flags.data) process.on('exit', () => rmSync(data, { recursive: true, force: true }));
  await runServe(start, { listen: '127.0.0.1:0', open: true, ...flags, data, demo: true });
}

async function runServe(start: Start, flags: Flags): Promise<void> {
  const log = (line: string) => console.error(`drover: ${line}`);
  const token = makeToken();
  const where: ListenFlags = {
    listen: flags.listen,
    allowRemote: flags['allow-remote'],
    tlsCert: flags['tls-cert'],
    tlsKey: flags['tls-key'],
    publicUrl: flags['public-url'],
  };
  const listen = listenOf(where);
  const signal = onSignal(log);
  const begin = (): Promise<Drover> => start({ dataDir: flags.data ?? null, log, demo: flags.demo ?? false });
  const serving = await serve(begin, { listen, token, log });
  process.stdout.write(`Drover listening on ${addressWith(serving.url, token)}\n`);
  if (listen.publicUrl) log(`behind the proxy it is ${listen.publicUrl.href}`);
  if (flags.open) openWindow(serving.ticket(), log);
  await signal;
  await serving.close();
  process.exit(0);
}

/** Resolves at the first signal that asks to end; the second ends at once. */
function onSignal(log: (line: string) => void): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const ask = () => {
      if (asked) process.exit(130);
      asked = true;
      log('stopping; once more to stop at once');
      resolve();
    };
    process.on('SIGINT', ask);
    process.on('SIGTERM', ask);
  });
}

/** The package's, which lies two folders up, from the sources as from the bundle. */
function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
