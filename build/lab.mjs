// `npm run lab`: three real hosts, the app on them, and how to stop it. `npm run lab -- down` from elsewhere stops it too.
import { spawn, spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipe } from './pipe.mjs';
import { ensureBrowser, ensureLab, ensureModules, ensureNode, top, tsx } from './setup.mjs';

const PREFIX = 'drover';
const labCli = [...tsx, 'test/lab/cli.ts'];

const call = ([file, ...args], stdio = 'inherit') => spawnSync(file, args, { cwd: top, stdio, encoding: 'utf8' });
const lab = (command, ...args) =>
  call([...labCli, command, '--prefix', PREFIX, ...args], ['ignore', 'pipe', 'inherit']);

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}

ensureNode();
ensureModules();
if (process.argv[2] === 'down') {
  process.exit(call([...labCli, 'down', '--prefix', PREFIX]).status ?? 1);
}
if (process.argv[2]) fail('npm run lab takes no argument but down.');
const without = ensureLab();
if (without) fail(`No lab here: ${without}.`);

if (call([process.execPath, 'build/build.mjs']).status !== 0) fail('The build failed: see above.');

const children = [];
let stopping = false;
/** Ends the app, then the lab; the first reason counts. */
async function stop(code) {
  if (stopping) return;
  stopping = true;
  console.log('\nstopping the app and the lab');
  await Promise.all(
    children.map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 8000);
      await gone;
      clearTimeout(late);
    }),
  );
  call([...labCli, 'down', '--prefix', PREFIX], 'ignore'); // it may be down already, which ended the app
  process.exit(code);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stop(0));

lab('sweep');
if (JSON.parse(lab('status', '--json').stdout || '[]').some(({ prefix }) => prefix === PREFIX)) {
  fail('The lab is up already. To take it down: npm run lab -- down');
}
console.log('bringing up three hosts: kvm1, kvm2, kvm3');
const up = lab('up', '--json', '--owner', String(process.pid));
if (up.status !== 0) await stop(1); // half of one is taken down too
const state = JSON.parse(up.stdout);
const { admin, hosts, directory } = state;

/** Starts a program on the admin's side. */
function start(argv, { env = {}, stderr = 'inherit' } = {}) {
  const [file, ...args] = [
    ...['nsenter', '-t', String(admin.keeper.pid), '-m', '-u', '-n', '--', 'env', '-C', top, `HOME=${admin.home}`],
    ...argv,
  ];
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', stderr], env: { ...process.env, ...env } });
  children.push(child);
  return child;
}

/** The first line of its output that fits; rejects where it ends before. */
function line(child, pattern) {
  return new Promise((done, refuse) => {
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
      const found = pattern.exec(said);
      if (found) done(found);
    });
    child.once('exit', () => refuse(new Error(`it ended, and said: ${said.trim() || 'nothing'}`)));
  });
}

try {
  // The same port on both sides, since the app answers only to the address that it knows as its own.
  const door = join(directory, 'door.sock');
  const listen = (port) => pipe(`tcp:${port}`, `unix:${door}`);
  const outer = await listen(7420).catch(() => listen(0));
  const { port } = outer.address();
  const app = start([
    ...[process.execPath, 'bin/drover.mjs', 'serve', '--listen', `127.0.0.1:${port}`],
    ...['--data', join(directory, 'drover')],
  ]);
  const [url, token] = await line(app, /http:\S+#token=(\S+)(?=\n)/);
  app.once('exit', (code) => void stop(code ?? 0)); // by a signal: taken down from elsewhere
  await line(start([process.execPath, 'build/pipe.mjs', `unix:${door}`, `tcp:${port}`]), /listening/);

  for (const { name, uri, fingerprints } of hosts) {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/hosts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ uri, label: name, trust: fingerprints.ed25519 }),
    });
    if (!answer.ok) console.error(`${name} was not added: ${await answer.text()}`);
  }

  const display = process.env.DISPLAY && ensureBrowser() === null;
  if (display) {
    const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
    const env = { XAUTHORITY: process.env.XAUTHORITY ?? join(homedir(), '.Xauthority') };
    // Root has no sandbox; test-type keeps the window from a banner about that.
    const flags = [
      '--no-sandbox',
      '--test-type',
      '--window-size=1400,900',
      ...quiet,
      `--user-data-dir=${join(directory, 'browser')}`,
    ];
    start(['chromium', ...flags, `--app=${url}`], { env, stderr: 'ignore' }).stdout.resume();
  }
  console.log(`
Drover is open on the lab${display ? ' in a window of its own, and' : ','} in any browser of this machine at
  ${url}

Hosts   ${hosts.map(({ name, address, user }) => `${name} (${user}@${address})`).join(', ')}
Guests  web01 and db01 run on kvm1, build01 on kvm3; drag them. busy01 dirties memory, files01’s disk is kvm1’s alone.
virsh   npx tsx test/lab/cli.ts exec --prefix ${PREFIX} kvm1 -- virsh list --all
Stop    Ctrl+C here, or npm run lab -- down`);
} catch (error) {
  console.error(`The app did not start on the lab: ${error.message}`);
  await stop(1);
}
