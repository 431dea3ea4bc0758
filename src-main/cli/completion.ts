// Completion for bash, zsh and fish, made from the table; names of hosts and VMs are asked of a Drover that runs.
import type { Command, Completes, Option } from './command.ts';
import type { Table } from './help.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

export function completion(shell: Shell, table: Table): string {
  switch (shell) {
    case 'bash':
      return bash(table);
    case 'zsh':
      return zsh(table);
    case 'fish':
      return fish(table);
    default:
      return shell satisfies never;
  }
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
const words = (options: Readonly<Record<string, Option>>) => Object.keys(options).map((name) => `--${name}`);

/** How bash gets the candidates of a thing. */
function bashSource({ choices, completes }: Pick<Option, 'choices' | 'completes'>): string {
  if (choices) return `COMPREPLY=($(compgen -W ${quoted(choices.join(' '))} -- "$cur"))`;
  switch (completes) {
    case 'host':
    case 'vm':
      return `_drover_names ${completes}s`;
    case 'file':
      return 'COMPREPLY=($(compgen -f -- "$cur"))';
    case 'folder':
      return 'COMPREPLY=($(compgen -d -- "$cur"))';
    case undefined:
      return 'COMPREPLY=()';
    default:
      return completes satisfies never;
  }
}

function bash({ commands, globalOptions }: Table): string {
  const valued = (options: Readonly<Record<string, Option>>) =>
    Object.entries(options).filter(([, option]) => option.value !== undefined);
  const cases = commands.map(({ name, args, options }) => {
    const mine = { ...options, ...globalOptions };
    return [
      `    ${name})`,
      `      case $prev in`,
      ...valued(mine).map(([option, of]) => `        --${option}) ${bashSource(of)}; return ;;`),
      `      esac`,
      `      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W ${quoted(words(mine).join(' '))} -- "$cur")); return; fi`,
      `      case $at in`,
      ...args.map((arg, at) => `        ${at === args.length - 1 && arg.many ? '*' : at}) ${bashSource(arg)} ;;`),
      `      esac ;;`,
    ].join('\n');
  });
  const allValued = [
    ...new Set(
      commands
        .flatMap(({ options }) => valued(options))
        .concat(valued(globalOptions))
        .map(([name]) => `--${name}`),
    ),
  ];
  return `# bash completion of drover: source <(drover completion bash)
_drover_names() {
  local names
  names=$(drover complete "$1" 2>/dev/null)
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$names" -- "$cur"))
}
_drover() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command= at=0 i word skip=
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $skip ]]; then skip=; continue; fi
    case $word in
      ${allValued.join('|')}) skip=1 ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=$word; else at=$((at + 1)); fi ;;
    esac
  done
  case $command in
    '') COMPREPLY=($(compgen -W ${quoted([...commands.map(({ name }) => name), ...words(globalOptions)].join(' '))} -- "$cur")) ;;
${cases.join('\n')}
  esac
}
complete -F _drover drover
`;
}

/** zsh's words for an argument or a value. */
function zshSource({ choices, completes }: Pick<Option, 'choices' | 'completes'>): string {
  if (choices) return `(${choices.join(' ')})`;
  const sources: Record<Completes, string> = {
    host: '_drover_hosts',
    vm: '_drover_vms',
    file: '_files',
    folder: '_files -/',
  };
  return completes ? sources[completes] : ' ';
}

/** Inside one of _arguments' words, brackets and colons are its own. */
const zshText = (text: string) => text.replace(/[[\]:\\]/g, '\\$&');

const zshOptions = (options: Readonly<Record<string, Option>>) =>
  Object.entries(options).map(([name, option]) =>
    quoted(`--${name}[${zshText(option.does)}]${option.value ? `:${zshText(option.value)}:${zshSource(option)}` : ''}`),
  );

function zsh({ commands, globalOptions }: Table): string {
  const cases = commands.map(({ name, args, options }) => {
    const parts = [
      ...zshOptions({ ...options, ...globalOptions }),
      ...args.map((arg, at) =>
        quoted(`${arg.many ? '*' : at + 1}:${arg.optional ? ':' : ''}${zshText(arg.name)}:${zshSource(arg)}`),
      ),
    ];
    return `    ${name}) _arguments ${parts.join(' ')} ;;`;
  });
  const list = commands.map(({ name, does }) => quoted(`${name}:${does.replaceAll(':', '\\:')}`));
  return `#compdef drover
# zsh completion of drover: drover completion zsh > a file “_drover” in a folder of $fpath
_drover_hosts() { local -a names; names=(\${(f)"$(drover complete hosts 2>/dev/null)"}); compadd -a names }
_drover_vms() { local -a names; names=(\${(f)"$(drover complete vms 2>/dev/null)"}); compadd -a names }
_drover() {
  if (( CURRENT == 2 )); then
    local -a commands
    commands=(${list.join(' ')})
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
if [[ $funcstack[1] == _drover ]]; then _drover "$@"; else compdef _drover drover; fi
`;
}

function fishSource({ choices, completes }: Pick<Option, 'choices' | 'completes'>): string {
  if (choices) return ` -a ${quoted(choices.join(' '))}`;
  const sources: Record<Completes, string> = {
    host: ` -a '(drover complete hosts 2>/dev/null)'`,
    vm: ` -a '(drover complete vms 2>/dev/null)'`,
    file: ' -F',
    folder: ` -a '(__fish_complete_directories)'`,
  };
  return completes ? sources[completes] : '';
}

function fishOption(condition: string, name: string, option: Option): string {
  const short = option.short ? ` -s ${option.short}` : '';
  // A value is always needed; only where it is a file, files are offered.
  const takes = `${option.completes === 'file' ? ' -r' : ' -x'}${fishSource(option)}`;
  return `complete -c drover ${condition}-l ${name}${short} -d ${quoted(option.does)}${option.value ? takes : ''}`;
}

function fish({ commands, globalOptions }: Table): string {
  const of = (command: Command) => {
    const condition = `-n '__fish_seen_subcommand_from ${command.name}' `;
    const sources = [...new Set(command.args.map(fishSource).filter(Boolean))];
    return [
      ...sources.map((source) => `complete -c drover ${condition}${source.trim()}`),
      ...Object.entries(command.options).map(([name, option]) => fishOption(condition, name, option)),
    ];
  };
  return `${[
    '# fish completion of drover: drover completion fish | source',
    'complete -c drover -f',
    ...commands.map(({ name, does }) => `complete -c drover -n __fish_use_subcommand -a ${name} -d ${quoted(does)}`),
    ...Object.entries(globalOptions).map(([name, option]) => fishOption('', name, option)),
    ...commands.flatMap(of),
  ].join('\n')}\n`;
}
