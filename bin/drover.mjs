#!/usr/bin/env node
// Runs Drover's command line as it was built.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`drover: it needs Node 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}
const built = new URL('../dist/main/main.js', import.meta.url);
if (!existsSync(fileURLToPath(built))) {
  console.error('drover: it is not built yet: run “npm run build” first.');
  process.exit(1);
}
await import(built.href);
