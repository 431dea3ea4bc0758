// The commands that run Drover for others: serve, and the demo.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Drover } from '../api/drover.ts';
import { listenOf } from '../shells/listen.ts';
import { openWindow } from '../shells/open-window.ts';
import { serve } from '../shells/serve.ts';
import { addressWith, makeToken } from '../shells/token.ts';
import type { Command, Context, Option } from './command.ts';
import { announce } from './running.ts';

const serveOptions: Record<string, Option> = {
  listen: { value: 'ADDRESS:PORT', does: 'where to listen (127.0.0.1:7420); port 0 takes a free one' },
  open: { does: 'open the window in a browser' },
  'allow-remote': { does: 'listen on other addresses than loopback; needs TLS, by one of the next two' },
  'tls-cert': { value: 'FILE', does: 'its certificate, with --tls-key', completes: 'file' },
  'tls-key': { value: 'FILE', does: 'the certificate’s key', completes: 'file' },
  'public-url': {
    value: 'URL',
    does: 'the https:// address under which others find it: a proxy that does TLS, or its own name',
  },
};

interface Serve {
  dataDir: string | null;
  demo: boolean;
  open: boolean;
  listen: string | undefined;
}

async function runServe({ args, start, onInterrupt }: Context, { dataDir, demo, open, listen: where }: Serve) {
  const log = (line: string) => process.stderr.write(`drover: ${line}\n`);
  const token = makeToken();
  const listen = listenOf({
    ...(where !== undefined && { listen: where }),
    allowRemote: args.flag('allow-remote'),
    ...Object.fromEntries(
      (
        [
          ['tlsCert', 'tls-cert'],
          ['tlsKey', 'tls-key'],
          ['publicUrl', 'public-url'],
        ] as const
      ).flatMap(([field, name]) => (args.text(name) === undefined ? [] : [[field, args.text(name)]])),
    ),
  });
  const stop = new Promise<void>((resolve) => {
    onInterrupt(() => {
      log('stopping; once more to stop at once');
      resolve();
    });
  });
  const begin = (): Promise<Drover> => start({ dataDir, log, demo });
  const serving = await serve(begin, { listen, token, log });
  const withdraw = announce(dataDir, serving.url, token);
  process.stdout.write(`Drover listening on ${addressWith(serving.url, token)}\n`);
  if (listen.publicUrl) log(`others find it at ${listen.publicUrl.href}, with the same “#token=…” after it`);
  if (open) openWindow(serving.ticket(), log);
  await stop;
  withdraw();
  await serving.close();
}

export const serveCommands: Command[] = [
  {
    name: 'serve',
    group: 'Drover itself',
    does: 'Serve the window and the automation API',
    details: [
      'When it is ready, it prints its address with the token to stdout, one line, and nothing before it. The token is $DROVER_TOKEN, or a fresh one. Other drover commands of the same user find it by themselves.',
      'SIGTERM or Ctrl+C ends it in order, with 0.',
    ],
    args: [],
    options: serveOptions,
    examples: [
      ['drover serve --open', 'the window in a browser'],
      ['drover serve --listen 0.0.0.0:7420 --allow-remote --tls-cert c.pem --tls-key k.pem', 'for other machines'],
    ],
    json: null,
    run: (context) =>
      runServe(context, {
        dataDir: context.args.text('data') ?? null,
        demo: context.args.flag('demo'),
        open: context.args.flag('open'),
        listen: context.args.text('listen'),
      }),
  },
  {
    name: 'demo',
    group: 'Drover itself',
    does: 'Show Drover with a simulated fleet, keeping nothing',
    details: ['As “drover serve --demo --open”, on a free port and with a data folder that goes with it.'],
    args: [],
    options: { listen: serveOptions['listen'] as Option, 'no-open': { does: 'open no window' } },
    json: null,
    run: async (context) => {
      const { args } = context;
      const given = args.text('data');
      const dataDir = given ?? mkdtempSync(join(tmpdir(), 'drover-demo-data-'));
      if (given === undefined) process.on('exit', () => rmSync(dataDir, { recursive: true, force: true }));
      await runServe(context, {
        dataDir,
        demo: true,
        open: !args.flag('no-open'),
        listen: args.text('listen') ?? '127.0.0.1:0',
      });
    },
  },
];
