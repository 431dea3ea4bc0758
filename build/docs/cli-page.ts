// The reference of the commands, as a page, made from their table.
import { groups, type Command, type Option } from '../../src-main/cli/command.ts';
import { exitCodes } from '../../src-main/cli/exit-codes.ts';
import { optionDoes, optionWord, synopsis, type Table } from '../../src-main/cli/help.ts';
import { environment } from '../../src-main/cli/man.ts';

const cell = (text: string) => text.replaceAll('|', '\\|');
const code = (text: string) => `\`${cell(text)}\``;

function optionTable(options: Readonly<Record<string, Option>>): string[] {
  const rows = Object.entries(options).map(
    ([name, option]) => `| ${code(optionWord(name, option))} | ${cell(optionDoes(option))} |`,
  );
  return rows.length === 0 ? [] : ['', '| option | |', '| --- | --- |', ...rows];
}

function section(command: Command): string[] {
  const { name, does, details = [], args, options, examples = [], json } = command;
  return [
    '',
    `### drover ${name} {#drover-${name}}`,
    '',
    `${does}.`,
    '',
    '```',
    synopsis(command),
    '```',
    ...(args.length > 0 ? [''] : []),
    ...args.map((arg) => `- ${code(arg.name)}: ${optionDoes(arg)}`),
    ...details.flatMap((paragraph) => ['', paragraph]),
    ...optionTable(options),
    ...(json === null ? [] : ['', `With \`--json\`: ${json.replace(/[<>{}[\]|]/g, '\\$&')}.`]),
    ...(examples.length > 0
      ? ['', '```sh', ...examples.map(([line, says]) => `${line}${says ? `   # ${says}` : ''}`), '```']
      : []),
  ];
}

export function cliPage({ commands, globalOptions }: Table): string {
  return `${[
    '---',
    'outline: [2, 3]',
    '---',
    '# Commands',
    '',
    'Made from the same table as `drover --help`, the completion of shells and the manual page (`drover man`).',
    'How to work with them is told in [The command line](../guide/command-line.md).',
    ...groups.flatMap((group) => [
      '',
      `## ${group}`,
      ...commands.filter((command) => command.group === group).flatMap(section),
    ]),
    '',
    '## Options of every command',
    ...optionTable(globalOptions),
    '',
    '## Exit codes',
    '',
    '| code | means |',
    '| --- | --- |',
    ...Object.entries(exitCodes).map(([number, means]) => `| ${number} | ${means} |`),
    '',
    '## Environment',
    '',
    '| variable | |',
    '| --- | --- |',
    ...Object.entries(environment).map(([name, does]) => `| \`${name}\` | ${does} |`),
  ].join('\n')}\n`;
}
