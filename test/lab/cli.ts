// The lab by hand: `npx tsx test/lab/cli.ts up|down|status|reset|sweep|exec [--prefix P] [--owner PID] [--json]`.
import { parseArgs } from 'node:util';
import { spawnSync } from 'node:child_process';
import { Lab } from './lab.ts';
import { directoryOf, listLabs, readState, sweep } from './registry.ts';
import { join } from 'node:path';

const usage = `npx tsx test/lab/cli.ts COMMAND [--prefix P] [--json]
  up [--owner PID]     three hosts with their guests; with an owner (a pid, or self), swept away after its end
  down                 ends and removes a lab
  status               which labs there are
  reset                every guest back to its first place
  sweep                removes labs whose owner is gone
  exec WHERE -- ARGV   runs a command on kvm1, kvm2, kvm3 or adm`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    prefix: { type: 'string' },
    owner: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const [command = 'help', ...rest] = positionals;
const say = (value: object, text: string) => console.log(values.json ? JSON.stringify(value) : text);

/** The one that is named, or the only one there is. */
async function theLab(): Promise<Lab> {
  if (values.prefix) {
    const state = await readState(join(directoryOf(values.prefix), 'lab.json')).catch(() => null);
    if (!state) throw new Error(`there is no lab ${values.prefix}`);
    return new Lab(state);
  }
  const [only, ...others] = await listLabs();
  if (!only) throw new Error('there is no lab');
  if (others.length > 0) throw new Error(`there are several labs: name one with --prefix`);
  return new Lab(only);
}

try {
  switch (command) {
    case 'up': {
      const began = performance.now();
      const owner = values.owner === 'self' ? process.pid : Number(values.owner);
      const lab = await Lab.up({ prefix: values.prefix, owner: values.owner ? owner : null });
      const seconds = Number(((performance.now() - began) / 1000).toFixed(1));
      const uris = lab.hosts.map(({ name, uri }) => `  ${name}  ${uri}`).join('\n');
      say(
        { file: lab.file, seconds, ...lab.state },
        `lab ${lab.state.prefix} is up in ${seconds} s: ${lab.file}\n${uris}\n` +
          `its end: npx tsx test/lab/cli.ts down --prefix ${lab.state.prefix}`,
      );
      break;
    }
    case 'down': {
      const lab = await theLab();
      await lab.down();
      say({ down: lab.state.prefix }, `lab ${lab.state.prefix} is gone`);
      break;
    }
    case 'status': {
      const labs = await listLabs();
      const line = ({ prefix, subnet, owner, ready, directory }: (typeof labs)[number]) =>
        `${prefix}  ${subnet}  ${ready ? 'up' : 'not ready'}  ${owner ? `of process ${owner.pid}` : 'kept'}  ${directory}`;
      say(labs, labs.map(line).join('\n') || 'there is no lab');
      break;
    }
    case 'reset':
      await (await theLab()).reset();
      say({ reset: true }, 'every guest is in its first place');
      break;
    case 'sweep': {
      const gone = await sweep();
      say({ gone }, gone.length > 0 ? `removed: ${gone.join(', ')}` : 'nothing was left behind');
      break;
    }
    case 'exec': {
      const [where = 'adm', ...argv] = rest;
      const [file = '', ...args] = (await theLab()).prefixed(where, argv);
      process.exitCode = spawnSync(file, args, { stdio: 'inherit' }).status ?? 1;
      break;
    }
    default:
      console.log(usage);
      process.exitCode = command === 'help' ? 0 : 2;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
