#!/usr/bin/env node
// Runs Drover's command line as it was built.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const built = new URL('../dist/main/main.js', import.meta.url);
if (!existsSync(fileURLToPath(built))) {
  console.error('drover: it is not built yet: run “npm run build” first.');
  process.exit(1);
}
await import(built.href);
