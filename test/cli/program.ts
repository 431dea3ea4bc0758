// The command line as a process of its own, built as it is shipped.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { buildMain } from '../../build/build.mjs';

/** Windows asks no process to end: what is sent there kills. */
export const signalsAreSent = process.platform !== 'win32';

const cache = join(import.meta.dirname, '..', '..', '.cache');

export class Program {
  readonly path: string;

  static async build(): Promise<Program> {
    mkdirSync(cache, { recursive: true });
    const path = mkdtempSync(join(cache, 'cli-'));
    await buildMain(path);
    return new Program(path);
  }

  private constructor(path: string) {
    this.path = path;
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }

  /** Starts it; the test's end ends it. */
  run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Run {
    return new Run([process.execPath, join(this.path, 'main.js'), ...args], env);
  }

  /** Runs it on a terminal of its own, that `script` makes. */
  onTerminal(args: readonly string[]): Run {
    const command = [process.execPath, join(this.path, 'main.js'), ...args]
      .map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
      .join(' ');
    return new Run(['script', '-qefc', command, '/dev/null'], { TERM: 'xterm', COLUMNS: '120' });
  }
}

export class Run {
  out = '';
  err = '';
  /** Its exit code. */
  readonly ended: Promise<number | null>;
  readonly child: ChildProcess;

  constructor([file = '', ...args]: readonly string[], env: NodeJS.ProcessEnv) {
    this.child = spawn(file, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, DROVER_TOKEN: '', DROVER_URL: '', ...env },
    });
    this.child.stdout?.on('data', (chunk) => (this.out += String(chunk)));
    this.child.stderr?.on('data', (chunk) => (this.err += String(chunk)));
    this.child.stdin?.on('error', () => {});
    this.ended = new Promise((resolve) => this.child.on('close', resolve));
    onTestFinished(() => void this.child.kill('SIGKILL'));
  }

  /** Once it serves. */
  async ready(): Promise<{ url: string; token: string }> {
    await expect.poll(() => this.out || this.err, { timeout: 40_000 }).toMatch(/\n/);
    const [, url = '', token = ''] = /^Drover listening on (http:\S+\/)#token=(\S+)\n$/.exec(this.out) ?? [];
    expect(url, this.err).not.toBe('');
    return { url, token };
  }

  type(text: string): void {
    this.child.stdin?.write(text);
  }

  async says(what: RegExp): Promise<void> {
    await expect.poll(() => this.out + this.err, { timeout: 40_000 }).toMatch(what);
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }
}

/** A folder that goes with the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'drover-cli-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
