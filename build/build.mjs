// `npm run build`: the window to dist/window, the main side to dist/main. `--main` or `--window` builds one of them.
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as esbuild from 'esbuild';
import * as vite from 'vite';
import { licencesOf, licencesPlugin } from './licences.mjs';

const top = join(import.meta.dirname, '..');

/** Loaded when it runs: what is not ours, or not for this machine. ssh2 does without its native parts. */
const external = ['electron', 'cpu-features', '*.node'];

/** @param {string} out two folders below the top, as the main side finds the rest from there */
export async function buildMain(out = join(top, 'dist', 'main')) {
  rmSync(out, { recursive: true, force: true }); // parts have digests in their names, and would pile up
  const shared = {
    bundle: true,
    platform: 'node',
    target: 'node20',
    external,
    logLevel: 'warning',
    legalComments: 'none', // licences.txt has them all
    metafile: true,
  };
  const built = await Promise.all([
    esbuild.build({
      ...shared,
      entryPoints: { main: join(top, 'src-main', 'main.ts'), sim: join(top, 'src-sim', 'main.ts') },
      outdir: out,
      format: 'esm',
      splitting: true, // each shell loads its own part only
      sourcemap: 'linked',
      // What was CommonJS asks for `require` and its own place.
      banner: {
        js: [
          "import { createRequire as __createRequire } from 'node:module';",
          'const require = __createRequire(import.meta.url);',
          'const __filename = import.meta.filename, __dirname = import.meta.dirname;',
        ].join('\n'),
      },
    }),
    esbuild.build({
      ...shared,
      entryPoints: [join(top, 'src-main', 'shells', 'preload.ts')],
      outfile: join(out, 'preload.cjs'),
      format: 'cjs', // a sandboxed preload can be nothing else
    }),
  ]);
  cpSync(join(top, 'assets', 'icons', '32x32.png'), join(out, 'tray.png'));
  const bundled = built.flatMap(({ metafile }) => Object.keys(metafile.inputs).map((path) => resolve(path)));
  writeFileSync(join(out, 'licences.txt'), licencesOf(bundled));
}

/** @param {string} out */
export async function buildWindow(out = join(top, 'dist', 'window')) {
  await vite.build({
    configFile: join(import.meta.dirname, 'vite.config.mjs'),
    logLevel: 'warn',
    plugins: [licencesPlugin],
    build: { outDir: out },
  });
}

/** @param {{ main?: boolean, window?: boolean }} parts */
export async function build({ main = true, window = true } = {}) {
  const begun = performance.now();
  console.log('building');
  await Promise.all([main && buildMain(), window && buildWindow()]);
  await esbuild.stop(); // its process would stay for as long as whoever builds, and then runs
  console.log(`built in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const only = process.argv.slice(2);
  const wants = (part) => only.length === 0 || only.includes(`--${part}`);
  await build({ main: wants('main'), window: wants('window') });
}
