// What `--help` prints, made from the table.
import { groups, type Argument, type Command, type Option } from './command.ts';
import { exitCodes } from './exit-codes.ts';

export interface Table {
  commands: readonly Command[];
  globalOptions: Readonly<Record<string, Option>>;
}

const columns = 100;

/** Words up to a width, each line after `indent` spaces. */
export function wrap(text: string, indent: number, width = columns): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line && indent + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return [...lines, line].map((one) => ' '.repeat(indent) + one);
}

export const argumentWord = ({ name, optional, many }: Argument) => {
  const word = many ? `${name}…` : name;
  return optional ? `[${word}]` : word;
};

export const synopsis = ({ name, args, options }: Command) =>
  ['drover', name, ...args.map(argumentWord), ...(Object.keys(options).length > 0 ? ['[options]'] : [])].join(' ');

export const optionWord = (name: string, { short, value }: Option) =>
  `${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`;

/** What it does, with its choices where those are not told already. */
export const optionDoes = ({ does, choices = [] }: Option | Argument) =>
  choices.every((choice) => does.includes(choice)) ? does : `${does}: ${choices.join(', ')}`;

/** A word and what it means, the meanings below each other. */
function listed(pairs: readonly (readonly [string, string])[], at = 24): string[] {
  return pairs.flatMap(([word, does]) => {
    const [first = '', ...rest] = wrap(does, at);
    return word.length + 4 > at ? [`  ${word}`, first, ...rest] : [`  ${word}`.padEnd(at) + first.trimStart(), ...rest];
  });
}

const optionLines = (options: Readonly<Record<string, Option>>) =>
  listed(
    Object.entries(options).map(([name, option]) => [optionWord(name, option), optionDoes(option)]),
    28,
  );

export function overview({ commands, globalOptions }: Table): string {
  const lines = [
    'Drover: see every libvirt host and VM, and move VMs between hosts while they run.',
    '',
    'Usage: drover COMMAND [options]      drover COMMAND --help tells more of one',
  ];
  for (const group of groups) {
    const mine = commands.filter((command) => command.group === group);
    lines.push(
      '',
      group,
      ...listed(
        mine.map((command) => [[command.name, ...command.args.map(argumentWord)].join(' '), command.does]),
        28,
      ),
    );
  }
  lines.push(
    '',
    'Options of every command',
    ...optionLines(globalOptions),
    '',
    ...wrap(
      'A command joins the Drover that runs on the same data folder, as “drover serve” does; where none runs, it works on its own.',
      0,
    ),
  );
  return `${lines.join('\n')}\n`;
}

export function helpOf(command: Command, { globalOptions }: Table): string {
  const { does, details = [], args, options, examples = [], json } = command;
  const lines = [`${does}.`, '', `Usage: ${synopsis(command)}`];
  if (args.length > 0) lines.push('', ...listed(args.map((arg) => [arg.name, optionDoes(arg)])));
  for (const paragraph of details) lines.push('', ...wrap(paragraph, 0));
  if (Object.keys(options).length > 0) lines.push('', 'Options', ...optionLines(options));
  lines.push('', 'Options of every command', ...optionLines(globalOptions));
  if (json !== null) lines.push('', `With --json: ${json}`);
  if (examples.length > 0) {
    lines.push('', 'Examples', ...examples.map(([line, says]) => `  ${line}${says ? `      # ${says}` : ''}`));
  }
  if (command.group === 'Moving VMs') {
    lines.push('', 'Ends with', ...Object.entries(exitCodes).map(([code, means]) => `  ${code.padStart(3)}  ${means}`));
  }
  return `${lines.join('\n')}\n`;
}
