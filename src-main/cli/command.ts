// What a command is: data that its help, completion, manual page and reference are made from, and what it does.
import type { Start } from '../api/drover.ts';
import type { Core } from './core.ts';
import type { Output } from './output.ts';

/** What a word can be completed with. */
export type Completes = 'host' | 'vm' | 'file' | 'folder';

export interface Option {
  /** How its value is called, e.g. `DIR`; left out for one that is only there or not. */
  value?: string;
  short?: string;
  does: string;
  choices?: readonly string[];
  completes?: Completes;
}

export interface Argument {
  /** In capitals, e.g. `VM`. */
  name: string;
  does: string;
  optional?: true;
  /** As many as there are; the last one only. */
  many?: true;
  choices?: readonly string[];
  completes?: Completes;
}

export const groups = ['Hosts', 'VMs', 'Moving VMs', 'Finding hosts', 'Drover itself'] as const;

export interface Command {
  name: string;
  group: (typeof groups)[number];
  /** One sentence without an end. */
  does: string;
  /** Paragraphs. */
  details?: readonly string[];
  args: readonly Argument[];
  options: Readonly<Record<string, Option>>;
  examples?: readonly (readonly [command: string, does: string])[];
  /** What `--json` prints, by its name in the contract; null for nothing. */
  json: string | null;
  /** Goes on for a while: another `drover` may join it. */
  long?: true;
  /** The exit code, 0 where left out. */
  run(context: Context): Promise<number | void>;
}

export interface Context {
  readonly args: Values;
  readonly out: Output;
  readonly start: Start;
  /** Drover's. */
  readonly version: string;
  /** Joins a running Drover, or starts one in this process; the same one each time. */
  readonly core: () => Promise<Core>;
  /** How long to wait for hosts that are connecting. */
  readonly waitMs: number;
  /** Somebody is there to be asked. */
  readonly interactive: boolean;
  /** What Ctrl+C does from now on, instead of ending the command; the second one ends it all the same. */
  readonly onInterrupt: (act: () => void) => void;
}

/** What was said on the command line, checked against the command's table. */
export class Values {
  readonly words: readonly string[];
  readonly #options: Readonly<Record<string, string | boolean | undefined>>;

  constructor(words: readonly string[], options: Readonly<Record<string, string | boolean | undefined>>) {
    this.words = words;
    this.#options = options;
  }

  /** The argument at a place; empty where it was left out. */
  word(at: number): string {
    return this.words[at] ?? '';
  }

  flag(name: string): boolean {
    return this.#options[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#options[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** @throws UsageError where it is no whole number */
  number(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (!/^\d{1,15}$/.test(value)) throw new UsageError(`--${name} is “${value}”, and has to be a whole number.`);
    return Number(value);
  }
}

/** What cannot be understood, as against what cannot be done. */
export class UsageError extends Error {}
