// The command line: understands it, runs the command, and ends with a number that says how it went.
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Failure, toErr } from '../../contract/failure.ts';
import type { Start } from '../api/drover.ts';
import { answerQuestions } from './ask.ts';
import { UsageError, Values, type Command, type Context, type Option } from './command.ts';
import { commands, globalOptions } from './commands.ts';
import { openCore, type Core } from './core.ts';
import { exitOf, type ExitCode } from './exit-codes.ts';
import { helpOf, overview } from './help.ts';
import { Output } from './output.ts';
import { announced } from './running.ts';
import { hidden } from './texts.ts';

const table = { commands: commands.filter(({ name }) => !hidden.has(name)), globalOptions };
const seeHelp = 'tells what there is.';
const waitSeconds = 15;

/** What asks a program to end; on Windows its window that is closed, and Ctrl+Break, too. */
const endings: NodeJS.Signals[] = [
  'SIGINT',
  'SIGTERM',
  ...(process.platform === 'win32' ? (['SIGHUP', 'SIGBREAK'] as const) : []),
];

/** Runs one command line, and ends the process. See `exit-codes.ts` for its number. */
export async function runCli(start: Start, argv: readonly string[], version: string): Promise<void> {
  // Whoever reads us may have seen enough, e.g. `head`.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' && !seesThrough(argv)) process.exit(0);
  });
  process.stderr.on('error', () => {});
  const out = new Output({ json: argv.includes('--json') });
  let code: number;
  try {
    code = await run(start, argv, version, out);
  } catch (error) {
    code = told(error, out);
  }
  await out.flush();
  process.exit(code);
}

/** What was begun is not dropped for want of a reader. */
const seesThrough = (argv: readonly string[]) => ['migrate', 'evacuate'].includes(argv[commandAt(argv)] ?? '');

function told(error: unknown, out: Output): ExitCode {
  if (error instanceof UsageError) {
    out.failure({ code: 'bad-request', message: error.message });
    return 2;
  }
  if (!(error instanceof Failure)) process.stderr.write(`${(error as Error).stack ?? String(error)}\n`);
  else out.failure(toErr(error));
  return exitOf(toErr(error).code);
}

async function run(start: Start, argv: readonly string[], version: string, out: Output): Promise<number> {
  const at = commandAt(argv);
  const name = argv[at];
  if (name === undefined) {
    const { help, version: wantsVersion } = parsed(argv, globalOptions).values;
    if (help) return say(overview(table));
    if (wantsVersion) return say(`${version}\n`);
    throw new UsageError(`Nothing to do. “drover --help” ${seeHelp}`);
  }
  const command = commands.find((one) => one.name === name);
  if (!command) throw new UsageError(`There is no command “${name}”. “drover --help” ${seeHelp}`);
  const { values, positionals } = parsed(argv.toSpliced(at, 1), { ...command.options, ...globalOptions }, name);
  if (values['help']) return say(helpOf(command, table));
  if (values['version']) return say(`${version}\n`);
  const args = new Values(positionals, values);
  checkWords(command, args);
  return carryOut(start, command, args, version, out);
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

/** Where the command stands: the first word that is neither an option nor an option's value. */
function commandAt(argv: readonly string[]): number {
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (!word.startsWith('-')) return at;
    if (globalOptions[word.slice(2)]?.value !== undefined) at += 1;
  }
  return argv.length;
}

function parsed(args: readonly string[], known: Readonly<Record<string, Option>>, command = '') {
  const options = Object.fromEntries(
    Object.entries(known).map(([name, { value, short }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const), ...(short && { short }) },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    for (const [name, { choices }] of Object.entries(known)) {
      const given = values[name];
      if (choices && typeof given === 'string' && !choices.includes(given)) {
        throw new UsageError(`--${name} is “${given}”, and has to be one of: ${choices.join(', ')}.`);
      }
    }
    return { values: values as Record<string, string | boolean | undefined>, positionals };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    // Node's sentences name the flag; what they advise after it does not fit here.
    const [said = ''] = (error as Error).message.split('. ');
    throw new UsageError(`${said.replace(/\.$/, '')}. “drover ${command ? `${command} ` : ''}--help” ${seeHelp}`);
  }
}

function checkWords({ name, args: known }: Command, { words }: Values): void {
  const many = known.at(-1)?.many === true;
  const help = `“drover ${name} --help” tells how it is used.`;
  if (!many && words.length > known.length) {
    throw new UsageError(
      `“drover ${name}” does not know what to do with “${words.slice(known.length).join(' ')}”. ${help}`,
    );
  }
  const missing = known.slice(words.length).find(({ optional }) => !optional);
  if (missing) throw new UsageError(`“drover ${name}” needs ${missing.name}: ${missing.does}. ${help}`);
  for (const [at, word] of words.entries()) {
    const { choices } = known[at] ?? known.at(-1) ?? {};
    if (choices && !choices.includes(word))
      throw new UsageError(`“${word}” is none of: ${choices.join(', ')}. ${help}`);
  }
}

async function carryOut(start: Start, command: Command, args: Values, version: string, out: Output): Promise<number> {
  const interactive = process.stdin.isTTY === true && process.stderr.isTTY === true && !out.json;
  const dataDir = args.text('data') ?? null;
  const log = (line: string) => out.note(`drover: ${line}`);
  let opening: Promise<Core> | null = null;
  let core: Core | null = null;
  const open = async () => {
    core = await openCore({
      start: command.name === 'complete' && !announced(dataDir) ? noStart : start,
      dataDir,
      url: args.text('url') ?? (process.env['DROVER_URL'] || null),
      token: tokenOf(args),
      demo: args.flag('demo'),
      interactive,
      shared: command.long === true,
      log,
    });
    if (interactive && command.name !== 'console') answerQuestions(core);
    return core;
  };

  let act: (() => void) | null = null;
  let interrupted: (code: number) => void = () => {};
  const interrupt = new Promise<number>((resolve) => (interrupted = resolve));
  let times = 0;
  const onSignal = () => {
    times += 1;
    if (times === 1 && act) act();
    else if (times <= 2 && core) interrupted(130);
    else process.exit(130);
  };
  for (const signal of endings) process.on(signal, onSignal);

  const context: Context = {
    args,
    out,
    start,
    version,
    core: () => (opening ??= open()),
    waitMs: (args.number('wait') ?? waitSeconds) * 1000,
    interactive,
    onInterrupt: (what) => (act = what),
  };
  try {
    const work = command.run(context);
    work.catch(() => {}); // where it was interrupted, nobody waits for it any more
    return (await Promise.race([work, interrupt])) ?? 0;
  } finally {
    await (core as Core | null)?.close();
  }
}

const noStart: Start = () => Promise.reject(new Failure('unreachable', 'No Drover is running.'));

/** @throws UsageError */
function tokenOf(args: Values): string | null {
  const path = args.text('token-file');
  if (path === undefined) return process.env['DROVER_TOKEN'] || null;
  if (!existsSync(path)) throw new UsageError(`--token-file: there is no file ${path}.`);
  return readFileSync(path, 'utf8').trim() || null;
}
