// `npm run bench [-- NAME…] [--json FILE]`: builds, and runs the benches, each a program of its own that tells ratios
// and counts of this run. Those that need real hosts share a lab, which goes down whatever happens.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBrowser, ensureDebian, ensureLab, ensureModules, ensureNode, top, tsx } from './setup.mjs';

const benches = {
  connect: { lab: true },
  calls: { lab: true, packages: ['libvirt-dev', 'gcc', 'libc6-dev'] },
  migrate: { lab: true },
  relay: { lab: true },
  console: { lab: true },
  scan: { lab: true, packages: ['nmap', 'gcc', 'libc6-dev'] },
  preflight: {},
  fleet: {},
  window: { browser: true },
};

let values, positionals;
try {
  ({ values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'string' } } }));
} catch (error) {
  stopWith(`${error.message.split('. ')[0]}. npm run bench [-- NAME…] [--json FILE]`);
}
const unknown = positionals.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  stopWith(`There is no bench “${unknown[0]}”: npm run bench -- [${Object.keys(benches).join('|')}…] [--json FILE]`);
}
const wanted = Object.keys(benches).filter((name) => positionals.length === 0 || positionals.includes(name));

function stopWith(sentence) {
  console.error(sentence);
  process.exit(2);
}

ensureNode();
ensureModules();

const scratch = mkdtempSync(join(tmpdir(), 'drover-bench-'));
const prefix = `b${process.pid % 1_000_000}`;
const labCli = [...tsx, 'test/lab/cli.ts'];
const reports = [];
let labIsUp = false;
let running = null;
let stopped = false;
let failed = false;

/** Runs one program with its output on ours. @returns its exit code, 1 for a signal */
function run([file, ...args], env = {}) {
  return new Promise((done) => {
    if (stopped) return done(1);
    running = spawn(file, args, { cwd: top, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } });
    running.on('error', () => done(1));
    running.on('close', (code) => done(code ?? 1));
  });
}

/** What keeps a bench from running here; null for nothing. */
function lacking({ lab, browser, packages = [] }) {
  return (lab && ensureLab()) || (browser && ensureBrowser()) || ensureDebian(packages, 'the bench');
}

async function labUp() {
  if (labIsUp) return true;
  labIsUp = true; // half of one is to be taken down too
  return (await run([...labCli, 'up', '--prefix', prefix, '--owner', String(process.pid)])) === 0;
}

function labDown() {
  if (!labIsUp) return;
  labIsUp = false;
  const [file, ...args] = [...labCli, 'down', '--prefix', prefix];
  spawnSync(file, args, { cwd: top, stdio: ['ignore', 'ignore', 'inherit'] });
}

async function measure(name) {
  const bench = benches[name];
  const lack = lacking(bench);
  if (lack) {
    console.log(`\n${name}: skipped, since ${lack}.`);
    return;
  }
  if (bench.lab && !(await labUp())) {
    failed = true;
    return;
  }
  const file = join(scratch, `${name}.json`);
  const load = loadavg()[0];
  const inside = bench.lab ? [...labCli, 'exec', '--prefix', prefix, 'adm', '--'] : [];
  const code = await run([...inside, ...tsx, `test/bench/${name}.ts`], { DROVER_BENCH_JSON: file });
  failed ||= code !== 0;
  if (existsSync(file)) reports.push({ ...JSON.parse(readFileSync(file, 'utf8')), loadBefore: load });
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    stopped = true;
    running?.kill(signal);
  });
}

try {
  failed = (await run([process.execPath, 'build/build.mjs'])) !== 0;
  for (const name of failed ? [] : wanted) if (!stopped) await measure(name);
} finally {
  labDown();
  rmSync(scratch, { recursive: true, force: true });
}

const goals = reports.flatMap(({ bench, figures }) =>
  figures.filter(({ goal }) => goal).map((each) => ({ bench, ...each })),
);
const missed = goals.filter(({ reached }) => !reached);
console.log(`\n${goals.length - missed.length} of ${goals.length} goals reached`);
for (const { bench, name, value, unit } of missed) console.log(`  not: ${bench}: ${name.trim()}: ${value} ${unit}`);
if (values.json) {
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version, platform: process.platform };
  writeFileSync(values.json, `${JSON.stringify({ at: new Date().toISOString(), machine, reports }, null, 2)}\n`);
}
process.exitCode = failed || stopped ? 1 : 0;
