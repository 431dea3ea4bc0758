// `npm run dev [-- OPTIONS OF SERVE]`: Drover from its sources; the window and the main side reload as they are changed.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer as createNetServer } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'vite';
import { top, tsx } from './setup.mjs';

// Kept over restarts, so that the open window comes back by itself.
const token = randomBytes(32).toString('base64url');
const port = await freePort();
process.env.DROVER_DEV_SERVE = `http://127.0.0.1:${port}`;

const [node, ...loader] = tsx;
const main = [join(top, 'src-main', 'main.ts'), 'serve', '--listen', `127.0.0.1:${port}`];
const serve = spawn(node, ['--watch-preserve-output', '--watch', ...loader, ...main, ...process.argv.slice(2)], {
  stdio: ['ignore', 'ignore', 'inherit'], // the address that it prints is not the one to open
  env: { ...process.env, DROVER_TOKEN: token },
});

const window = await createServer({ configFile: join(import.meta.dirname, 'vite.config.mjs') });
await window.listen();
console.log(`Drover is open at ${window.resolvedUrls.local[0]}#token=${token} until Ctrl+C`);

const stop = async (code) => {
  serve.kill('SIGTERM');
  await window.close();
  process.exit(code);
};
serve.on('exit', (code) => void stop(code ?? 1));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void stop(0));

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createNetServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
