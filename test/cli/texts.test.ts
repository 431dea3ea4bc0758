// What is made from the table of commands: help, completion, the manual page; and that the table fits the contract.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { migrationOptions } from '../../contract/check.ts';
import { lifecycleActions, type MigrationView } from '../../contract/model.ts';
import { commands, globalOptions } from '../../src-main/cli/commands.ts';
import { completion } from '../../src-main/cli/completion.ts';
import { exitOfMigration } from '../../src-main/cli/exit-codes.ts';
import { helpOf, overview } from '../../src-main/cli/help.ts';
import { manPage } from '../../src-main/cli/man.ts';
import { saidFields } from '../../src-main/cli/migration-options.ts';
import { Output, printable } from '../../src-main/cli/output.ts';
import { bar, Lines } from '../../src-main/cli/progress.ts';

const table = { commands: commands.filter(({ name }) => name !== 'complete'), globalOptions };
const has = (program: string) => spawnSync(program, ['--version']).error === undefined;

describe('the table of commands', () => {
  it('has every lifecycle action and every option of a migration that the contract has', () => {
    expect(commands.map(({ name }) => name)).toEqual(expect.arrayContaining([...lifecycleActions]));
    expect([...saidFields].sort()).toEqual(Object.keys(migrationOptions.shape).sort());
  });

  it('names each command once, and no option that all have', () => {
    expect(new Set(commands.map(({ name }) => name)).size).toBe(commands.length);
    for (const { name, options } of commands) {
      for (const option of Object.keys(options))
        expect(Object.keys(globalOptions), `${name} --${option}`).not.toContain(option);
    }
  });

  it('is told whole by help', () => {
    const all = overview(table);
    for (const command of table.commands) {
      expect(all).toContain(`\n  ${command.name}`);
      const one = helpOf(command, table);
      for (const name of Object.keys(command.options)) expect(one).toContain(`--${name}`);
    }
    for (const line of all.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });
});

describe('completion', () => {
  it.skipIf(process.platform === 'win32')('of bash knows commands, options, and words of an option', () => {
    const complete = (...words: string[]) => {
      const script = `${completion('bash', table)}
drover() { [[ $1 == complete ]] && printf '%s\\n' web01 web02 db01; }
COMP_WORDS=(drover ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}
_drover; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n');
    };
    expect(complete('mig')).toEqual(['migrate', 'migrations']);
    expect(complete('migrate', '--tr')).toEqual(['--transport', '--transient']);
    expect(complete('migrate', '--transport', 'p')).toEqual(['p2p']);
    expect(complete('vms', '--state', 'run')).toEqual(['running']);
    expect(complete('start', 'web01', 'web')).toEqual(['web01', 'web02']);
    expect(complete('--data', '/tmp', 'migrate', 'd')).toEqual(['db01']);
    expect(complete('completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  it.each(['zsh', 'fish'] as const)('of %s is understood by it', (shell) => {
    const script = completion(shell, table);
    for (const { name } of table.commands) expect(script).toContain(name);
    if (!has(shell)) return;
    const folder = mkdtempSync(join(tmpdir(), 'drover-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    // From a file: fish takes none from what Node gives as stdin.
    const file = join(folder, `drover.${shell}`);
    writeFileSync(file, script);
    execFileSync(shell, ['-n', file]);
  });
});

describe.skipIf(!has('fish'))('in fish', () => {
  const candidates = (line: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'drover-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'drover.fish');
    writeFileSync(file, completion('fish', table));
    writeFileSync(join(folder, 'a-key'), '');
    const said = spawnSync('fish', ['--no-config', '-c', `source ${file}; cd ${folder}; complete -C '${line}'`], {
      encoding: 'utf8',
    });
    expect(said.stderr).toBe('');
    return said.stdout.split('\n').flatMap((each) => each.split('\t')[0] || []);
  };

  it('completion offers commands, options, values and files, and complains of nothing', () => {
    expect(candidates('drover mig')).toEqual(['migrate', 'migrations']);
    expect(candidates('drover vms --st')).toEqual(['--state']);
    expect(candidates('drover vms --state run')).toEqual(['running']);
    expect(candidates('drover scan --keyfile a-')).toEqual(['a-key']);
  });
});

describe('the manual page', () => {
  const page = manPage(table, '1.2.3');

  it('has every command and no line that roff would take for its own', () => {
    for (const { name } of table.commands) expect(page).toContain(`.SS drover ${name}`);
    for (const line of page.split('\n').filter((one) => one.startsWith('.'))) {
      expect(line).toMatch(/^\.(TH|SH|SS|TP|PP|B|BR|nf|fi)\b/);
    }
  });

  it.skipIf(!has('man'))('is shown by man without a complaint', () => {
    const shown = spawnSync('man', ['--warnings', '-l', '-'], {
      input: page,
      encoding: 'utf8',
      env: { ...process.env, MANWIDTH: '80', LC_ALL: 'C.UTF-8' },
    });
    expect([shown.status, shown.stderr]).toEqual([0, '']);
    expect(shown.stdout).toContain('drover migrate VM HOST');
  });
});

const migration = {
  id: 'm1',
  name: 'web01',
  to: 'h2',
  state: 'running',
  phase: 'perform',
  endedAt: null,
  progress: { percent: 42, memoryBps: 117_440_512, etaMs: 4_100 },
} as MigrationView;

describe('progress', () => {
  it('is a bar on a terminal', () => {
    expect(bar(migration, () => 'kvm2')).toBe(
      'web01 → kvm2  [██████████··············]   42%  Copy memory  112 MiB/s  4.1 s left',
    );
  });

  it('is a line for each step in a pipe', () => {
    const lines = new Lines();
    const at = (percent: number) => lines.next({ ...migration, progress: { ...migration.progress, percent } });
    expect([at(0), at(12), at(17), at(23)]).toEqual([
      'web01: Copy memory',
      'web01: Copy memory 12%, 112 MiB/s',
      null,
      'web01: Copy memory 23%, 112 MiB/s',
    ]);
  });

  it.each([
    ['completed', 0],
    ['failed', 1],
    ['cancelled', 7],
    ['needs-attention', 8],
  ] as const)('that ends %s has the exit code %i', (state, code) => {
    expect(exitOfMigration({ state })).toBe(code);
  });
});

describe('output', () => {
  const written = () => {
    const text: string[] = [];
    return { text, write: (chunk: string) => !!text.push(chunk), isTTY: true, columns: 40 };
  };

  it('takes out of names what would move the cursor or turn the text', () => {
    expect(printable('we\x1b[2Jb\u202e01\n')).toBe('we[2Jb01');
  });

  it('draws over one line where a person watches, and never with --json', () => {
    const [stdout, stderr] = [written(), written()];
    const out = new Output({ json: false, stdout: stdout, stderr: stderr });
    out.live('a'.repeat(60));
    out.result(null, () => 'done');
    expect(stderr.text).toEqual([`\r\x1b[K${'a'.repeat(39)}`, '\r\x1b[K']);
    expect(stdout.text).toEqual(['done\n']);
    const json = new Output({ json: true, stdout: stdout, stderr: stderr });
    json.live('nothing');
    expect(stderr.text).toHaveLength(2);
  });
});
