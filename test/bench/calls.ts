// Many calls over one connection, one by one and pipelined, against libvirt's own client over its own ssh.
import { execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Connection, type Dom } from '../../src-main/libvirt/index.ts';
import { connectSsh, KnownHosts, openLibvirt } from '../../src-main/ssh/index.ts';
import { Lab } from '../lab/lab.ts';
import { guestNamed } from '../lab/guests.ts';
import { asked, bench, byTurns, median, ratio, timed, type Report } from './measure.ts';

const count = asked('count', 1_000);
const rounds = asked('rounds', 10);
const guest = guestNamed('web01');

interface Client {
  oneByOne: () => Promise<number>;
  close: () => Promise<void>;
}

/** libvirt's own, as a program that is built here; null where it cannot be. */
async function libvirtClient(folder: string, uri: string, calls: number): Promise<Client | null> {
  const program = join(folder, 'calls');
  try {
    execFileSync('gcc', ['-O2', '-o', program, join(import.meta.dirname, 'calls.c'), '-lvirt'], { stdio: 'ignore' });
  } catch {
    return null;
  }
  const child = spawn(program, [uri, guest.name, String(calls)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => String((await lines.next()).value);
  if ((await line()) !== 'ready') throw new Error('libvirt’s client could not connect');
  return {
    oneByOne: async () => {
      child.stdin.write('\n');
      return Number(await line());
    },
    close: async () => {
      const gone = once(child, 'exit');
      child.stdin.end();
      await gone;
    },
  };
}

async function ourClient(lab: Lab, host: string, port: number, calls: number) {
  const { user } = lab.host('kvm1');
  const ssh = await connectSsh({
    target: { host, port, user, label: host, keyFiles: [lab.admin.keys.ed25519], noVerify: true },
    knownHosts: KnownHosts.beside(lab.admin.knownHosts),
    prompts: null,
    agent: null,
  });
  const { duplex } = await openLibvirt(ssh, { uri: 'qemu:///system' });
  const connection = await Connection.open(duplex, { uri: 'qemu:///system' });
  const dom: Dom = { name: guest.name, uuid: guest.uuid, id: -1 };
  const ask = () => connection.call('domain_get_state', { dom });
  return {
    oneByOne: () =>
      timed(async () => {
        for (let at = 0; at < calls; at++) await ask();
      }),
    pipelined: () => timed(() => Promise.all(Array.from({ length: calls }, ask))),
    close: async () => {
      await connection.close();
      ssh.close();
    },
  };
}

async function compare(
  report: Report,
  lab: Lab,
  where: { host: string; port: number; calls: number; rounds: number; name: string; least: number },
) {
  const { host, port, calls, name, least } = where;
  const folder = await mkdtemp(join(tmpdir(), 'drover-bench-'));
  const query = new URLSearchParams({ keyfile: lab.admin.keys.ed25519, no_verify: '1' });
  const uri = `qemu+ssh://${lab.host('kvm1').user}@${host}:${port}/system?${query.toString().replaceAll('%2F', '/')}`;
  const theirs = await libvirtClient(folder, uri, calls);
  const ours = await ourClient(lab, host, port, calls);
  try {
    if (!theirs) report.note('gcc or libvirt-dev is not here, so there is nothing to compare with');
    const took = await byTurns(where.rounds, {
      ours: ours.oneByOne,
      pipelined: ours.pipelined,
      theirs: theirs?.oneByOne ?? (() => Promise.resolve(NaN)),
    });
    const rate = (all: number[]) => (calls / median(all)) * 1_000;
    report.figure(`${name}: Drover, one by one`, rate(took.ours), 'calls/s');
    report.figure(`${name}: Drover, pipelined`, rate(took.pipelined), 'calls/s');
    report.figure(`${name}: libvirt’s client, one by one`, rate(took.theirs), 'calls/s');
    report.figure(`${name}: Drover ÷ libvirt, one by one`, ratio(took.theirs, took.ours), '×', { least: 0.9 });
    report.figure(`${name}: Drover pipelined ÷ libvirt one by one`, ratio(took.theirs, took.pipelined), '×', { least });
  } finally {
    await ours.close();
    await theirs?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

await bench('calls', async (report) => {
  const lab = await Lab.open();
  await lab.reset();
  const { address: host } = lab.host('kvm1');
  report.note(`domain_get_state, ${count} calls a round, ${rounds} rounds`);
  await compare(report, lab, { host, port: 22, calls: count, rounds, name: 'lab’s link', least: 4 });

  const few = Math.ceil(count / 10);
  const slow = { calls: few, rounds: Math.ceil(rounds / 3), name: '20 ms there and back', least: 10 };
  const relay = fork(join(import.meta.dirname, 'slow-link.ts'), [host, '22', '10'], { execArgv: ['--import', 'tsx'] });
  try {
    const [port] = (await once(relay, 'message')) as [number];
    report.note(`the delay is made by a TCP relay that both go through; ${few} calls a round, ${slow.rounds} rounds`);
    await compare(report, lab, { ...slow, host: '127.0.0.1', port });
  } finally {
    relay.kill();
  }
});
