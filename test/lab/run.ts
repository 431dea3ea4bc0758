// Runs a program and waits for it; a failure tells the command and what it said.
import { execFile, type ChildProcess } from 'node:child_process';

export interface RunOptions {
  input?: string | Buffer;
  timeoutMs?: number;
  env?: Record<string, string>;
  cwd?: string;
}

export class RunError extends Error {
  readonly argv: string[];
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;

  constructor(argv: string[], code: number | string | null, stdout: string, stderr: string) {
    super(`${argv.join(' ')}: ${stderr.trim() || stdout.trim() || 'said nothing'} (${code ?? 'killed'})`);
    this.argv = argv;
    this.code = code;
    this.stdout = stdout;
    this.stderr = stderr;
  }
}

/** @returns what it wrote to stdout. @throws RunError on any exit code but 0, and past `timeoutMs` (default 60 s). */
export function run(argv: string[], { input, timeoutMs = 60_000, env, cwd }: RunOptions = {}): Promise<string> {
  const [file = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child: ChildProcess = execFile(
      file,
      args,
      {
        cwd,
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
        maxBuffer: 64 * 1024 * 1024,
        env: { ...process.env, LC_ALL: 'C', ...env },
      },
      (error, stdout, stderr) => {
        if (error) reject(new RunError(argv, error.code ?? error.signal ?? null, stdout, stderr));
        else resolve(stdout);
      },
    );
    child.stdin?.on('error', () => undefined); // it may not want its input
    child.stdin?.end(input);
  });
}

/** True where the program ends with 0. */
export const succeeds = (argv: string[], options?: RunOptions): Promise<boolean> =>
  run(argv, options).then(
    () => true,
    () => false,
  );

/** Asks again until the answer is anything but undefined, false or null. @throws Error naming `what` past `timeoutMs`. */
export async function until<T>(
  what: string,
  ask: () => Promise<T> | T,
  timeoutMs = 20_000,
  everyMs = 50,
): Promise<Exclude<T, undefined | null | false>> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false)
      return answer as Exclude<T, undefined | null | false>;
    if (performance.now() > end) throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    await new Promise((wake) => setTimeout(wake, everyMs));
  }
}
