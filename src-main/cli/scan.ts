// The command that looks for hosts: what answers is printed as it is found.
import { scanPasses, type Found, type ScanForecast, type ScanPass, type ScanView } from '../../contract/model.ts';
import { count } from '../../src-renderer/words/format.ts';
import { scanCost } from '../../src-renderer/words/scan.ts';
import { parsePorts } from '../../contract/ports.ts';
import { UsageError, type Command, type Context } from './command.ts';
import { printable } from './output.ts';
import { Failure } from '../../contract/failure.ts';

const kinds: Record<Found['kind'], string> = { libvirt: 'libvirt', ssh: 'SSH', open: 'open', silent: 'silent' };

const line = ({ address, port, kind, libvirtVersion, banner, fingerprint, hostId }: Found) =>
  printable(
    [
      `${address}${port === 22 ? '' : `:${port}`}`.padEnd(21),
      `${kinds[kind]}${libvirtVersion ? ` ${libvirtVersion}` : ''}`.padEnd(14),
      hostId ? 'in Drover' : (fingerprint ?? ''),
      banner ?? '',
    ].join('  '),
  ).trimEnd();

/** @throws UsageError */
function portsOf(text: string): number[] {
  const parsed = parsePorts(text);
  if ('problem' in parsed) throw new UsageError(`--ports: ${parsed.problem}`);
  return parsed.ports;
}

const costs = (cost: ScanForecast) => `${count(cost.total, 'port', 'ports')}: ${scanCost(cost)}.`;

async function scan(context: Context): Promise<void> {
  const { args, out } = context;
  const core = await context.core();
  const keyfile = args.text('keyfile');
  const user = args.text('user');
  const ports = args.text('ports');
  let id: string | null = null;
  let early: ScanView[] = [];
  const told = new Set<string>();
  let done: (view: ScanView) => void = () => {};
  const over = new Promise<ScanView>((resolve) => (done = resolve));
  const take = (view: ScanView) => {
    if (id === null) return void early.push(view);
    if (view.id !== id) return;
    for (const found of view.found) {
      const key = `${found.address}:${found.port} ${found.kind} ${found.fingerprint ?? ''} ${found.libvirtVersion ?? ''}`;
      if (found.kind === 'silent' || told.has(key)) continue;
      told.add(key);
      out.step(found, line(found));
    }
    out.live(
      `${view.probed} of ${count(view.total, 'port', 'ports')} asked, ${count(told.size, 'answer', 'answers')}${view.paused ? `   ${view.paused}` : ''}`,
    );
    if (view.state !== 'running') done(view);
  };
  const off = core.on('deltas', ({ deltas }) => {
    for (const { event, data } of deltas) if (event === 'scan' && !('removed' in data)) take(data);
  });
  try {
    const wanted = {
      cidr: args.words.join(','),
      ...(args.text('pass') !== undefined && { pass: args.text('pass') as ScanPass }),
      ...(ports !== undefined && { ports: portsOf(ports) }),
      ...(args.number('rate') !== undefined && { rate: args.number('rate') }),
      ...(args.number('timeout') !== undefined && { timeoutMs: args.number('timeout') }),
      confirm: args.flag('confirm'),
    };
    const cost = await core.call('scans.forecast', wanted);
    if (args.flag('dry-run')) return out.result(cost, () => [...cost.notes, costs(cost)]);
    if (cost.confirm !== null) {
      throw new Failure('bad-request', `${cost.confirm} With --confirm it is swept.`, {
        addresses: cost.addresses,
        confirm: true,
      });
    }
    if (out.watched) out.note(costs(cost));
    const started = await core.call('scans.start', {
      ...wanted,
      ...((keyfile ?? user) !== undefined && {
        identify: { ...(user !== undefined && { user }), ...(keyfile !== undefined && { keyfile }) },
      }),
    });
    for (const note of out.json ? [] : started.notes) out.note(note);
    id = started.id;
    for (const view of [started, ...early.splice(0)]) take(view);
    early = [];
    context.onInterrupt(() => void core.call('scans.cancel', { id: started.id }).catch(() => {}));
    await over;
    const whole = await core.call('scans.get', { id: started.id });
    for (const found of whole.found) take({ ...whole, found: [found] });
    if (whole.error) throw new Failure(whole.error.code, whole.error.message, whole.error.detail);
    const hosts = whole.found.filter(({ kind }) => kind !== 'silent').length;
    if (out.json) return;
    out.note(
      `${whole.state === 'cancelled' ? 'Cancelled: ' : ''}${count(hosts, 'address answers', 'addresses answer')} in ${whole.cidr}.`,
    );
  } finally {
    off();
  }
}

export const scanCommands: Command[] = [
  {
    name: 'scan',
    group: 'Finding hosts',
    does: 'Look for hosts in a range of addresses',
    long: true,
    details: [
      'What answers is printed as it is found: the address, what it is, its key’s fingerprint. A host whose key is trusted is logged in to when --user or --keyfile is given, which tells libvirt from any other SSH. Ctrl+C cancels it; what was found is kept.',
    ],
    args: [{ name: 'RANGE', does: 'a CIDR, an address, or a range a-b', many: true }],
    options: {
      pass: {
        value: 'PASS',
        does: 'full, or only those that were silent, non-libvirt or known before',
        choices: scanPasses,
      },
      ports: { value: 'PORTS', does: 'such as 22,2222 or 5900-5910 (22)' },
      user: { value: 'USER', does: 'log in as this user to see whether it is libvirt' },
      keyfile: { value: 'FILE', does: 'log in with this key', completes: 'file' },
      rate: { value: 'N', does: 'connections a second' },
      timeout: { value: 'MS', does: 'how long to wait for an answer' },
      'dry-run': { does: 'only say how many connections it makes, and how long that takes' },
      confirm: { does: 'also where the range is wider than /16 or public' },
    },
    examples: [['drover scan 192.168.1.0/24 --user root', '']],
    json: 'Found, a line for each; with --dry-run ScanForecast',
    run: scan,
  },
  {
    name: 'neighbours',
    group: 'Finding hosts',
    does: 'List what all scans so far know',
    args: [],
    options: {},
    json: 'Neighbour[]',
    run: async ({ core, out }) => {
      const known = await (await core()).call('neighbours.list', {});
      out.result(known, () => {
        const seen = known.filter(({ kind }) => kind !== 'silent').map(line);
        return seen.length > 0 ? seen : 'Nothing was found yet. Look with “drover scan RANGE”.';
      });
    },
  },
];
