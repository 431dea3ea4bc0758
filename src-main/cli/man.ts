// The manual page, made from the table: roff for man(1).
import { groups, type Command, type Option } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { argumentWord, optionDoes, type Table } from './help.ts';

/** What roff would take for its own: backslashes, dashes, and dots that begin a line. */
const text = (words: string) =>
  words
    .replace(/\\/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/^([.'])/gm, '\\&$1');

const option = (name: string, given: Option) =>
  `.TP\n${given.short ? `\\fB\\-${given.short}\\fR, ` : ''}\\fB\\-\\-${text(name)}\\fR${given.value ? ` \\fI${text(given.value)}\\fR` : ''}\n${text(optionDoes(given))}`;

const optionsOf = (options: Readonly<Record<string, Option>>) =>
  Object.entries(options).map(([name, given]) => option(name, given));

function section(command: Command): string[] {
  const { name, args, does, details = [], options, examples = [], json } = command;
  return [
    `.SS drover ${[name, ...args.map(argumentWord)].map(text).join(' ')}`,
    text(`${does}.`),
    ...args.flatMap((arg) => ['.TP', `\\fI${text(arg.name)}\\fR`, text(optionDoes(arg))]),
    ...details.flatMap((paragraph) => ['.PP', text(paragraph)]),
    ...optionsOf(options),
    ...(json === null ? [] : ['.PP', text(`With \u2010\u2010json: ${json}.`).replaceAll('\u2010\u2010', '\\-\\-')]),
    ...examples.flatMap(([line, says]) => [
      '.PP',
      '.nf',
      `\\fB${text(line)}\\fR${says ? text(`    # ${says}`) : ''}`,
      '.fi',
    ]),
  ];
}

/** @param version of Drover, which the page's foot names */
export function manPage({ commands, globalOptions }: Table, version: string): string {
  return `${[
    `.TH DROVER 1 "" "Drover ${version}" "User Commands"`,
    '.SH NAME',
    'drover \\- see every libvirt host and VM, and move VMs between hosts while they run',
    '.SH SYNOPSIS',
    '.B drover',
    '\\fICOMMAND\\fR [\\fIARGUMENTS\\fR] [\\fIOPTIONS\\fR]',
    '.SH DESCRIPTION',
    'Commands the hosts and VMs that Drover knows. A command joins the Drover that runs on the same data folder, as',
    '\\fBdrover serve\\fR does; where none runs, it works on its own, and ends what it began in order.',
    ...groups.flatMap((group) => [
      `.SH ${text(group.toUpperCase())}`,
      ...commands.filter((command) => command.group === group).flatMap(section),
    ]),
    '.SH OPTIONS OF EVERY COMMAND',
    ...optionsOf(globalOptions),
    '.SH EXIT STATUS',
    ...Object.entries(exitCodes).flatMap(([code, means]) => ['.TP', `\\fB${code}\\fR`, text(means)]),
    '.SH ENVIRONMENT',
    ...Object.entries(environment).flatMap(([name, does]) => ['.TP', `\\fB${name}\\fR`, text(does)]),
    '.SH FILES',
    '.TP',
    '\\fI~/.local/share/drover\\fR',
    'The data folder on Linux: hosts, known host keys, settings, the journal of migrations; and, while a Drover runs on',
    'it, \\fIrunning.json\\fR with its address and token.',
    '.SH SEE ALSO',
    '.BR virsh (1),',
    '.BR ssh (1)',
  ].join('\n')}\n`;
}

export const environment: Readonly<Record<string, string>> = {
  DROVER_TOKEN: 'the token of the Drover to join; for “drover serve”, the token to ask for',
  DROVER_URL: 'the address of the Drover to join, as --url',
  XDG_DATA_HOME: 'on Linux, the folder that holds the data folder “drover”',
};
