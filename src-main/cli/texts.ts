// The commands that print what the table says: help, completion, the manual page.
import { UsageError, type Command } from './command.ts';
import { completion, shells, type Shell } from './completion.ts';
import { helpOf, overview, type Table } from './help.ts';
import { manPage } from './man.ts';
import { printable } from './output.ts';

/** Commands of the list that help and completion do not name. */
export const hidden: ReadonlySet<string> = new Set(['complete']);

/** @param table which these commands are themselves part of */
export function textCommands(table: () => Table): Command[] {
  const shown = (): Table => {
    const all = table();
    return { ...all, commands: all.commands.filter(({ name }) => !hidden.has(name)) };
  };
  const print = (text: string) => void process.stdout.write(text);
  return [
    {
      name: 'help',
      group: 'Drover itself',
      does: 'Tell how Drover or one of its commands is used',
      args: [{ name: 'COMMAND', does: 'one of them', optional: true }],
      options: {},
      json: null,
      run: async ({ args }) => {
        const { commands } = shown();
        const command = commands.find(({ name }) => name === args.word(0));
        if (args.words.length > 0 && !command) throw new UsageError(`There is no command “${args.word(0)}”.`);
        print(command ? helpOf(command, shown()) : overview(shown()));
      },
    },
    {
      name: 'completion',
      group: 'Drover itself',
      does: 'Print what makes a shell complete drover’s commands',
      args: [{ name: 'SHELL', does: 'which one', choices: shells }],
      options: {},
      examples: [
        ['source <(drover completion bash)', 'in ~/.bashrc'],
        ['drover completion fish > ~/.config/fish/completions/drover.fish', ''],
      ],
      json: null,
      run: async ({ args }) => print(completion(args.word(0) as Shell, shown())),
    },
    {
      name: 'man',
      group: 'Drover itself',
      does: 'Print the manual page',
      args: [],
      options: {},
      examples: [['drover man | man -l -', '']],
      json: null,
      run: async ({ version }) => print(manPage(shown(), version)),
    },
    {
      name: 'complete',
      group: 'Drover itself',
      does: 'Print names for completion, of a Drover that runs',
      args: [{ name: 'WHAT', does: 'of what', choices: ['hosts', 'vms'] }],
      options: {},
      json: null,
      run: async ({ args, core, out }) => {
        const drover = await core();
        if (drover.own) return; // a key press starts no connections
        const names =
          args.word(0) === 'hosts'
            ? (await drover.call('hosts.list', {})).map(({ label }) => label)
            : (await drover.call('domains.list', {})).map(({ name }) => name);
        out.result([...new Set(names)], () => [...new Set(names)].map(printable));
      },
    },
  ];
}
