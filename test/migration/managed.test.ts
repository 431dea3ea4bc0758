// The five steps: after each that fails, by a reply or by a loss, just the calls that undo it and no other.
import { describe, expect, it } from 'vitest';
import { migrateFlags as flag, param, type Param, procedureName } from '../../src-main/libvirt/index.ts';
import { type End, ManagedMove, type Plan, type Watch } from '../../src-main/migration/managed.ts';
import { connected, web01 } from '../libvirt/peer.ts';

type Step = 'begin' | 'prepare' | 'perform' | 'finish' | 'confirm';
type Side = 'source' | 'target';
type Fails = 'reply' | 'lost';
interface Call {
  name: string;
  args: { params: Param[]; cookie?: Buffer; flags: number; cancelled?: number; dconnuri?: string | null };
}
const stepOf = (name: string) => /^domain_migrate_(\w+?)3_params$/.exec(name)?.[1] as Step;

interface Scene {
  fails?: { step: Step; how: Fails; code?: number; domain?: number; cancelled?: number };
  /** What finish(cancelled=1) is answered with. */
  dropped?: { code: number; domain: number };
  uri?: string | null;
  plan?: Partial<Plan>;
  /** It is cancelled once so many calls were made. */
  cancelAfter?: number;
  loseTargetBeforeFinish?: boolean;
  watch?: Partial<Watch>;
}

/** Runs the steps against two far ends that play the scene. */
async function run(scene: Scene = {}) {
  const calls: Call[] = [];
  const log: string[] = [];
  const phases: string[] = [];
  const sides = { source: await connected(), target: await connected() };
  let over = false;

  const play = async (side: Side) => {
    const { peer } = sides[side];
    for (;;) {
      const packet = await peer.next();
      const name = procedureName(packet.procedure) ?? '';
      if (name === 'connect_close') continue;
      // Read as the call that it is.
      peer.again(packet);
      const call = await peer.call(name as 'domain_migrate_finish3_params');
      const { args } = call as unknown as Call;
      const step = stepOf(name);
      calls.push({ name: step, args });
      log.push(args.cancelled === undefined ? step : `${step}(${args.cancelled})`);
      const { fails } = scene;
      if (fails?.step === step && (fails.cancelled ?? 0) === (args.cancelled ?? 0)) {
        if (fails.how === 'lost') return peer.hangUp();
        call.refuse(fails.code ?? 9, fails.domain ?? 10, `${step} failed`);
      } else if (step === 'finish' && args.cancelled === 1) {
        call.refuse(scene.dropped?.code ?? 93, scene.dropped?.domain ?? 10, 'dropped');
      } else if (step === 'begin') call.answer({ cookie: Buffer.from('A'), xml: '<domain/>' } as never);
      else if (step === 'prepare') {
        call.answer({ cookie: Buffer.from('B'), uri: scene.uri === undefined ? 'tcp:kvm2:49152' : scene.uri } as never);
      } else if (step === 'perform') call.answer({ cookie: Buffer.from('C') } as never);
      else if (step === 'finish') call.answer({ dom: web01, cookie: Buffer.from('D') });
      else call.answer({} as never);
    }
  };
  const playing = [play('source'), play('target')].map((one) =>
    one.catch((error: unknown) => {
      if (!over) throw error;
    }),
  );

  const move = new ManagedMove(
    sides.source.connection,
    sides.target.connection,
    {
      dom: web01,
      flags: flag.live | flag.persist_dest | flag.undefine_source | flag.auto_converge,
      params: [param.u64('bandwidth', 5)],
      destXml: null,
      migrateUri: 'tcp://10.0.0.2',
      destName: 'web01',
      offline: false,
      ...scene.plan,
    },
    {
      phase: async (phase) => void phases.push(phase),
      cancelled: () => calls.length >= (scene.cancelAfter ?? Infinity),
      performing: (under) => phases.push(under ? '<' : '>'),
      postCopied: () => false,
      beforeFinish: async () => {
        phases.push('console');
        if (!scene.loseTargetBeforeFinish) return;
        over = true;
        sides.target.connection.destroy(new Error('the network is gone'));
      },
      ...scene.watch,
    },
  );
  const end = await move.run();
  over = true;
  for (const { connection } of Object.values(sides)) connection.destroy();
  await Promise.all(playing);
  return { end, log: log.join(' '), calls, phases: phases.join(' ') };
}

const ended = (end: End) => (end.end === 'stayed' && end.why === null ? 'aborted' : end.end);

describe('all goes well', () => {
  it('five steps, each cookie handed on as it is', async () => {
    const { end, log, calls, phases } = await run();
    expect(end).toEqual({ end: 'moved' });
    expect(log).toBe('begin prepare perform finish(0) confirm(0)');
    expect(calls.map(({ args }) => args.cookie?.toString())).toEqual([undefined, 'A', 'B', 'C', 'D']);
    expect(phases.replace('console', '').replace(/ +/g, ' ')).toBe('begin prepare perform < > finish confirm');
    expect(phases.indexOf('console')).toBeGreaterThan(phases.indexOf('>'));
  });

  it('the source is told to guard its change, the target nothing that is the source’s alone', async () => {
    const { calls } = await run();
    const both = flag.live | flag.persist_dest | flag.undefine_source;
    const [begin, prepare, perform, finish, confirm] = calls.map(({ args }) => args.flags);
    expect([begin, perform, confirm]).toEqual(Array(3).fill(both | flag.auto_converge | flag.change_protection));
    expect([prepare, finish]).toEqual([both, both]);
  });

  it('the address that the target names is passed back verbatim', async () => {
    const { calls } = await run();
    const uris = calls.map(({ args }) => args.params.find(({ name }) => name === 'migrate_uri')?.value);
    expect(uris).toEqual(['tcp://10.0.0.2', 'tcp://10.0.0.2', 'tcp:kvm2:49152', 'tcp:kvm2:49152', 'tcp:kvm2:49152']);
    expect(calls[2]?.args.dconnuri).toBeNull();
  });

  it('the XML of begin goes to prepare, the name to finish', async () => {
    const { calls } = await run({ plan: { params: [param.str('destination_name', 'web02')], destXml: '<mine/>' } });
    const of = (name: string) =>
      calls.map(({ args }) => args.params.filter((one) => one.name === name).map((one) => one.value));
    expect(of('destination_xml')).toEqual([['<mine/>'], ['<domain/>'], [], [], []]);
    expect(of('destination_name')).toEqual(Array(5).fill(['web02']));
    const { calls: unnamed } = await run();
    expect(unnamed.map(({ args }) => args.params.some(({ name }) => name === 'destination_name'))).toEqual([
      false,
      false,
      false,
      true,
      false,
    ]);
  });

  it('a definition alone has no memory to move', async () => {
    const { end, log, calls, phases } = await run({ plan: { offline: true, migrateUri: null }, uri: null });
    expect(end).toEqual({ end: 'moved' });
    expect(log).toBe('begin prepare finish(0) confirm(0)');
    expect(calls[2]?.args.cookie).toHaveLength(0);
    expect(phases).not.toContain('<');
  });
});

describe('a step that fails', () => {
  const table: [Step, Fails, string, string][] = [
    ['begin', 'reply', 'begin', 'stayed'],
    ['begin', 'lost', 'begin', 'unknown'],
    ['prepare', 'reply', 'begin prepare confirm(1)', 'stayed'],
    ['prepare', 'lost', 'begin prepare confirm(1)', 'stayed'],
    ['perform', 'reply', 'begin prepare perform finish(1)', 'stayed'],
    ['perform', 'lost', 'begin prepare perform finish(1)', 'unknown'],
    ['finish', 'reply', 'begin prepare perform finish(0) confirm(1)', 'stayed'],
    ['finish', 'lost', 'begin prepare perform finish(0)', 'unknown'],
    ['confirm', 'reply', 'begin prepare perform finish(0) confirm(0)', 'unknown'],
    ['confirm', 'lost', 'begin prepare perform finish(0) confirm(0)', 'unknown'],
  ];
  it.each(table)('%s, by its %s: %s, and it has %s', async (step, how, log, outcome) => {
    const ran = await run({ fails: { step, how } });
    expect([ran.log, ended(ran.end)]).toEqual([log, outcome]);
    if (ran.end.end === 'unknown') {
      const at = ['begin', 'prepare', 'perform', 'finish', 'confirm'].indexOf(step);
      expect(ran.end).toMatchObject({ performed: at > 2, finishSent: at > 2 });
    } else {
      expect((ran.end as { why: { procedure: string } }).why.procedure).toBe(`domain_migrate_${step}3_params`);
    }
  });

  it('perform, aborted: it was cancelled', async () => {
    const { end } = await run({ fails: { step: 'perform', how: 'reply', code: 78 } });
    expect(ended(end)).toBe('aborted');
  });

  it('perform: the reason that the target’s QEMU gives says more', async () => {
    const { end } = await run({ fails: { step: 'perform', how: 'reply' }, dropped: { code: 1, domain: 10 } });
    expect(end).toMatchObject({ end: 'stayed', why: { message: 'dropped' } });
  });

  it('the target names no address: both halves are dropped', async () => {
    const { end, log } = await run({ uri: null, plan: { migrateUri: null } });
    expect(log).toBe('begin prepare finish(1) confirm(1)');
    expect(ended(end)).toBe('stayed');
  });

  it('waking the source is not answered: nobody knows', async () => {
    const { end, log } = await run({ fails: { step: 'confirm', how: 'lost', cancelled: 1 }, cancelAfter: 1 });
    expect([log, end.end]).toEqual(['begin confirm(1)', 'unknown']);
  });
});

describe('cancelled', () => {
  const table: [number, string][] = [
    [0, ''],
    [1, 'begin confirm(1)'],
    [2, 'begin prepare finish(1) confirm(1)'],
    // From here on only an abort of the job ends it, or it is too late.
    [3, 'begin prepare perform finish(0) confirm(0)'],
  ];
  it.each(table)('after %d calls: %s', async (cancelAfter, log) => {
    const ran = await run({ cancelAfter });
    expect(ran.log).toBe(log);
    expect(ended(ran.end)).toBe(cancelAfter < 3 ? 'aborted' : 'moved');
  });
});

it('a finish that could not be sent any more cannot have started it: the source is woken', async () => {
  const { end, log } = await run({ loseTargetBeforeFinish: true });
  expect(log).toBe('begin prepare perform confirm(1)');
  expect(end.end).toBe('stayed');
});

it('a console that cannot be opened holds no VM up', async () => {
  const { end } = await run({ watch: { beforeFinish: () => Promise.reject(new Error('no console')) } });
  expect(end).toEqual({ end: 'moved' });
});
