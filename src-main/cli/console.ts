// The command that is a VM's serial console: every key goes to the VM, and the console goes with it when it migrates.
import { Failure } from '../../contract/failure.ts';
import type { ConsoleNote, LinkEvents } from '../../contract/events.ts';
import type { Command, Context } from './command.ts';
import { findVm } from './find.ts';
import { printable } from './output.ts';
import { aVm } from './vms.ts';

/** Ctrl+], as telnet and virsh have it. */
const leave = 0x1d;
/** The most that one write may hold. */
const writeBytes = 64 * 1024;

async function openConsole(context: Context): Promise<void> {
  const { args, out, waitMs } = context;
  const core = await context.core();
  const { domain, host } = await findVm(core, args.word(0), waitMs);
  const labels = new Map((await core.call('hosts.list', {})).map(({ id, label }) => [id, label]));
  const label = (id: string) => labels.get(id) ?? id;
  const raw = process.stdin.isTTY === true && !out.json;
  /** On a raw terminal a new line has to go back to its beginning by itself. */
  const say = (words: string) => process.stderr.write(`${raw ? '\r\n' : ''}[${printable(words)}]${raw ? '\r' : ''}\n`);

  let consoleId: string | null = null;
  let end: (error: Error | null) => void = () => {};
  const over = new Promise<void>((resolve, reject) => {
    end = (error) => (error ? reject(error) : resolve());
  });
  over.catch(() => {});

  // What comes before the answer that names the console.
  const early: (() => void)[] = [];
  const when =
    <T extends { consoleId: string }>(act: (payload: T) => void) =>
    (payload: T) => {
      if (consoleId === null) early.push(() => payload.consoleId === consoleId && act(payload));
      else if (payload.consoleId === consoleId) act(payload);
    };
  const show = ({ bytes }: LinkEvents['console.data']) => {
    if (consoleId === null) return;
    const id = consoleId;
    if (out.json) out.step({ type: 'data', base64: Buffer.from(bytes).toString('base64') }, null);
    // More comes only once this was taken: a slow reader slows its console, and fills no memory.
    const shown = out.json ? Promise.resolve() : out.raw(bytes);
    void shown.then(() => core.call('consoles.ack', { consoleId: id, bytes: bytes.length })).catch(() => {});
  };
  const note = (said: ConsoleNote) => {
    if (out.json) out.step(said, null);
    switch (said.type) {
      case 'open':
        break;
      case 'moved':
        if (!out.json) say(`${domain.name} moved from ${label(said.from)} to ${label(said.to)}; so has this console`);
        break;
      case 'gap':
        if (!out.json) say('bytes may be missing here');
        break;
      case 'closed':
        end(said.err ? new Failure(said.err.code, said.err.message, said.err.detail) : null);
        break;
      default:
        said satisfies never;
    }
  };
  let wasUp = false;
  const offs = [
    core.on('console.data', when(show)),
    core.on(
      'console.note',
      when(({ note: said }: LinkEvents['console.note']) => note(said)),
    ),
    core.on('up', (up) => {
      if (wasUp && !up) end(new Failure('unreachable', 'The connection to Drover was lost, and the console with it.'));
      wasUp = up;
    }),
  ];

  let typing: Promise<unknown> = Promise.resolve();
  const type = (chunk: Buffer<ArrayBuffer>) => {
    const at = raw ? chunk.indexOf(leave) : -1;
    const bytes = at < 0 ? chunk : chunk.subarray(0, at);
    process.stdin.pause();
    typing = typing
      .then(async () => {
        for (let from = 0; consoleId !== null && from < bytes.length; from += writeBytes) {
          await core.call('consoles.write', { consoleId, bytes: bytes.subarray(from, from + writeBytes) });
        }
        if (at >= 0) end(null);
        else process.stdin.resume();
      })
      .catch((error: Error) => end(error));
  };
  try {
    const opened = await core.call('consoles.open', {
      hostId: host.id,
      uuid: domain.uuid,
      ...(args.text('target') !== undefined && { target: args.text('target') }),
      takeover: args.flag('takeover'),
    });
    consoleId = opened.consoleId;
    if (raw) {
      process.stderr.write(`[${printable(`${domain.name} on ${host.label}`)}; Ctrl+] leaves the console]\n`);
      process.stdin.setRawMode(true);
    }
    for (const act of early) act();
    process.stdin.on('data', type);
    context.onInterrupt(() => end(null));
    await over;
  } finally {
    for (const off of offs) off();
    process.stdin.off('data', type);
    process.stdin.pause();
    if (raw) {
      process.stdin.setRawMode(false);
      process.stderr.write('\r\n');
    }
    if (consoleId !== null) await core.call('consoles.close', { consoleId }).catch(() => {});
  }
}

export const consoleCommands: Command[] = [
  {
    name: 'console',
    group: 'VMs',
    does: 'Open a VM’s serial console; it goes with the VM when that migrates',
    long: true,
    details: [
      'On a terminal every key goes to the VM, Ctrl+C too; Ctrl+] leaves the console. From a pipe, what is read goes to the VM, and the console stays open until it is closed or Ctrl+C.',
      'When the VM is migrated, by this Drover or by anybody, the console opens on its new host by itself, and says so on stderr.',
    ],
    args: [aVm],
    options: {
      target: { value: 'ALIAS', does: 'another serial port than the first, e.g. serial1' },
      takeover: { does: 'take it where another program holds it' },
      wait: { value: 'SECONDS', does: 'how long to wait for hosts that are connecting (15)' },
    },
    examples: [['drover console web01', '']],
    json: 'ConsoleNote, and { type: "data", base64 }, a line for each',
    run: openConsole,
  },
];
