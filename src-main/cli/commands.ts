// The table of all commands. Help, completion, the manual page and the reference are made from it.
import type { Command, Option } from './command.ts';
import { consoleCommands } from './console.ts';
import { eventCommands } from './events.ts';
import { hostCommands } from './hosts.ts';
import { migrationCommands } from './migrate.ts';
import { scanCommands } from './scan.ts';
import { serveCommands } from './serve.ts';
import { textCommands } from './texts.ts';
import { vmCommands } from './vms.ts';

/** Understood by every command. */
export const globalOptions: Readonly<Record<string, Option>> = {
  help: { short: 'h', does: 'how a command is used' },
  version: { short: 'v', does: 'Drover’s version' },
  json: { does: 'results as JSON on stdout; failures as a line of JSON on stderr' },
  data: { value: 'DIR', does: 'where hosts, known keys and settings are kept', completes: 'folder' },
  url: { value: 'URL', does: 'work with the Drover at this address ($DROVER_URL)' },
  'token-file': {
    value: 'FILE',
    does: 'its token, where the address does not hold it ($DROVER_TOKEN)',
    completes: 'file',
  },
  demo: { does: 'with a simulated fleet: nothing about it is real' },
};

export const commands: readonly Command[] = [
  ...hostCommands,
  ...vmCommands,
  ...consoleCommands,
  ...migrationCommands,
  ...scanCommands,
  ...serveCommands,
  ...eventCommands,
  ...textCommands(() => ({ commands, globalOptions })),
];
