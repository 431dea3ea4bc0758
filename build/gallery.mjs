// `npm run gallery [-- --port N]`: every part of the window in every state, reloaded as it is changed.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createServer } from 'vite';

const { values } = parseArgs({ options: { port: { type: 'string', default: '5174' } } });
const server = await createServer({
  configFile: join(import.meta.dirname, 'vite.config.mjs'),
  server: { port: Number(values.port) },
});
await server.listen();
console.log(`The gallery is open at ${server.resolvedUrls.local[0]}gallery/ until Ctrl+C`);
