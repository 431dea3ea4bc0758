// `npm run trace -- URI [--follow]`: prints the decoded packets of a libvirt connection, without its secrets.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensureModules, ensureNode, top, tsx } from './setup.mjs';

ensureNode();
ensureModules();
const [node, ...loader] = tsx;
const child = spawn(node, [...loader, join(top, 'build/trace.ts'), ...process.argv.slice(2)], { stdio: 'inherit' });
// Ctrl+C reaches the child as well: it says goodbye to the daemon first.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code) => process.exit(code ?? 1));
