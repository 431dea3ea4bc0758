// `npm test [-- RING [FILES…]]`: installs what is missing, then check, build, docs, unit, lab and app, and counts them all.
// The lab's real hosts come up once, for its own ring and for the whole app's, and go down whatever happens.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ci,
  electronBinary,
  ensureBrowser,
  ensureLab,
  ensureModules,
  ensureNode,
  ensureReferees,
  top,
  tsx,
} from './setup.mjs';

const rings = ['check', 'build', 'docs', 'unit', 'lab', 'app'];
const [only, ...files] = process.argv.slice(2);
if (only && !rings.includes(only)) {
  console.error(`There is no ring “${only}”: npm test -- [${rings.join('|')}] [FILES…]`);
  process.exit(2);
}

ensureNode();
ensureModules();

const results = [];
const scratch = mkdtempSync(join(tmpdir(), 'drover-test-'));
const prefix = `t${process.pid % 1_000_000}`;
const labCli = [...tsx, 'test/lab/cli.ts'];
let labIsUp = false;
let running = null;
let stopped = false;

/** Runs one program with its output on ours; `see` gets what it prints. @returns its exit code, 1 for a signal */
function run([file, ...args], { env = {}, see } = {}) {
  return new Promise((done) => {
    if (stopped) return done(1);
    running = spawn(file, args, {
      cwd: top,
      stdio: ['ignore', see ? 'pipe' : 'inherit', 'inherit'],
      env: { ...process.env, ...env },
    });
    running.stdout?.on('data', (chunk) => {
      process.stdout.write(chunk);
      see(chunk.toString());
    });
    running.on('error', () => done(1));
    running.on('close', (code) => done(code ?? 1));
  });
}

/** A ring that ended badly without a failed test has crashed, and that is a failure. */
function note(name, counts, began, code = 0, remark = '') {
  const { passed = 0, failed = 0, skipped = 0 } = counts ?? {};
  const crashed = failed === 0 && (code !== 0 || !counts);
  const seconds = Math.round((performance.now() - began) / 1000);
  results.push({ name, passed, failed: crashed ? 1 : failed, skipped, seconds, remark: crashed ? 'crashed' : remark });
}

/** What cannot run here: a line, one skip, and on CI a failure. */
function missing(name, why) {
  console.log(`${name}: skipped, since ${why}.`);
  results.push({ name, passed: 0, failed: ci ? 1 : 0, skipped: ci ? 0 : 1, seconds: 0, remark: why });
}

const json = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null);

/** A file that could not even be loaded has no tests to fail: it counts as one. */
function vitestCounts(report) {
  if (!report) return null;
  const broken = report.testResults.filter(({ status, assertionResults }) => {
    return status === 'failed' && !assertionResults.some((test) => test.status === 'failed');
  });
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function playwrightCounts(report) {
  if (!report) return null;
  const { expected, unexpected, flaky, skipped } = report.stats;
  return { passed: expected + flaky, failed: unexpected, skipped };
}

async function vitest(name, before = []) {
  const began = performance.now();
  const report = join(scratch, `${name}.json`);
  const code = await run([
    ...before,
    ...[process.execPath, 'node_modules/vitest/vitest.mjs', 'run', '--project', `${name}*`],
    ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...files],
  ]);
  note(name, vitestCounts(json(report)), began, code);
}

const inAdmin = () => [...labCli, 'exec', '--prefix', prefix, 'adm', '--'];

async function labUp() {
  const began = performance.now();
  labIsUp = true; // half of one is to be taken down too
  if ((await run([...labCli, 'up', '--prefix', prefix, '--owner', String(process.pid)])) === 0) return true;
  note('lab', null, began, 1);
  return false;
}

function labDown() {
  if (!labIsUp) return;
  labIsUp = false;
  const [file, ...args] = [...labCli, 'down', '--prefix', prefix];
  spawnSync(file, args, { cwd: top, stdio: ['ignore', 'ignore', 'inherit'] });
}

const ring = {
  async check() {
    const began = performance.now();
    let said = '';
    const code = await run([process.execPath, 'build/check.mjs'], { see: (text) => (said += text) });
    const steps = [...said.matchAll(/^(ok {2}|FAIL) /gm)].map(([, word]) => word === 'FAIL');
    const failed = steps.filter(Boolean).length;
    note('check', steps.length > 0 ? { passed: steps.length - failed, failed } : null, began, code);
  },
  async build() {
    const began = performance.now();
    const code = await run([process.execPath, 'build/build.mjs']);
    note('build', { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 }, began, code);
  },
  async docs() {
    const began = performance.now();
    const code = await run([process.execPath, 'build/docs.mjs']);
    note('docs', { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 }, began, code);
  },
  async unit() {
    const lack = ensureReferees();
    if (lack) missing('unit', lack);
    await vitest('unit');
  },
  lab: () => vitest('lab', inAdmin()),
  /** @param withLab without one, the tests that need no host */
  async app(withLab) {
    const began = performance.now();
    const report = join(scratch, 'app.json');
    const code = await run(
      [
        ...(withLab ? inAdmin() : []),
        ...[process.execPath, 'node_modules/@playwright/test/cli.js', 'test', '-c', 'test/app/playwright.config.ts'],
        ...(withLab ? [] : ['--project', 'window']),
        ...['--reporter=list,json', ...files],
      ],
      { env: { PLAYWRIGHT_JSON_OUTPUT_NAME: report, PLAYWRIGHT_JSON_OUTPUT_FILE: report } },
    );
    note('app', playwrightCounts(json(report)), began, code);
  },
};

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    stopped = true;
    running?.kill(signal);
  });
}

const wants = (name) => !only || only === name;
try {
  if (wants('check')) await ring.check();
  if (wants('build') || only === 'app') await ring.build();
  if (wants('docs')) await ring.docs();
  if (wants('unit')) await ring.unit();
  if (wants('lab') || wants('app')) {
    const noLab = ensureLab();
    const noBrowser = wants('app') ? ensureBrowser() : null;
    const up = noLab ? false : await labUp();
    if (noLab && wants('lab')) missing('lab', noLab);
    if (up && wants('lab')) await ring.lab();
    if (wants('app')) {
      if (!electronBinary()) console.log('Electron’s binary is not here: what needs it is skipped.');
      if (noBrowser ?? noLab) missing('app', noBrowser ?? noLab);
      if (!noBrowser && (up || noLab)) await ring.app(up);
    }
  }
} finally {
  labDown();
  rmSync(scratch, { recursive: true, force: true });
}

if (stopped) results.push({ name: 'stopped', passed: 0, failed: 1, skipped: 0, seconds: 0, remark: 'by a signal' });
console.log('');
const total = { passed: 0, failed: 0, skipped: 0 };
for (const { name, seconds, remark, ...counts } of results) {
  const { passed, failed, skipped } = counts;
  console.log(
    `${name.padEnd(6)} ${passed} passed, ${failed} failed, ${skipped} skipped, ${seconds} s${remark && `  (${remark})`}`,
  );
  for (const kind of Object.keys(total)) total[kind] += counts[kind];
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 || total.passed + total.skipped === 0 ? 1 : 0;
