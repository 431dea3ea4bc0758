import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { DomainView, HostView, Preflight } from '../../contract/model.ts';
import { Drag } from '../../src-renderer/drag/drag.svelte.ts';
import { judge, refuse, type Answers } from '../../src-renderer/drag/rule.ts';
import { madeUpDomain, madeUpHost, random } from './made-up-fleet.ts';

const next = random(1);
let hosts: HostView[];
let vm: DomainView;
const host = (index: number, change: Partial<HostView> = {}) => ({ ...(hosts[index] as HostView), ...change });
const fine: Preflight = { verdict: 'ok', checks: [{ id: 'x', level: 'ok', message: 'fine' }] };
const warning: Preflight = {
  verdict: 'warn',
  checks: [
    { id: 'x', level: 'ok', message: 'fine' },
    { id: 'y', level: 'warn', message: 'little memory' },
  ],
};
const no: Preflight = {
  verdict: 'blocked',
  checks: [
    { id: 'y', level: 'warn', message: 'little memory' },
    { id: 'z', level: 'error', message: 'local disk' },
  ],
};

beforeEach(() => {
  hosts = [0, 1, 2].map((index) => madeUpHost(next, index));
  vm = madeUpDomain(next, 'host-1', 'web01', 'running');
  vm.memoryKiB = 1024;
});

describe('what the window itself refuses', () => {
  it.each<[string, Partial<DomainView>, Partial<HostView>, Partial<HostView>, RegExp | null]>([
    ['nothing', {}, {}, {}, null],
    ['a host that is not connected', {}, { state: 'unreachable' }, {}, /kvm2 is not connected/],
    ['a host that may not be changed', {}, { readOnly: true }, {}, /kvm2 is connected read-only/],
    ['a VM whose host is gone', {}, {}, { state: 'unreachable' }, /kvm1 is not connected/],
    ['a VM out of date', { stale: true }, {}, {}, /kvm1 is not connected/],
    [
      'a VM that moves already',
      { job: { migrationId: 'm', side: 'source', percent: 3 } },
      {},
      {},
      /already being migrated/,
    ],
    ['a VM that shuts down', { state: 'shutdown' }, {}, {}, /shutting down/],
    ['more memory than there is', { memoryKiB: 2 ** 40 }, {}, {}, /more memory than kvm2 has/],
  ])('%s', (_, domain, to, from, why) => {
    const reason = refuse({ ...vm, ...domain }, host(1, to), host(0, from));
    if (why) expect(reason).toMatch(why);
    else expect(reason).toBeNull();
  });

  it('the host where it is, and one of another architecture', () => {
    expect(refuse(vm, host(0), host(0))).toMatch(/already here/);
    const arm = host(1);
    if (arm.info) arm.info = { ...arm.info, arch: 'aarch64' };
    expect(refuse(vm, arm, host(0))).toBe('kvm2 is aarch64, kvm1 is x86_64');
  });
});

describe('what a host says to several VMs', () => {
  const from = (domain: DomainView) => hosts.find(({ id }) => id === domain.hostId);
  const says = (domains: DomainView[], answers: Answers) => judge(domains, host(1), from, answers);

  it('is the worst of its answers, with its reason and for how many', () => {
    const other = { ...vm, uuid: 'other' };
    const answers: Answers = (domain) => ({ 'host-2': domain === vm ? fine : no });
    expect(says([vm], answers)).toEqual({ level: 'ok', reason: null, of: null });
    expect(says([vm, other], answers)).toEqual({ level: 'blocked', reason: 'local disk', of: 1 });
    expect(says([vm, vm], () => ({ 'host-2': warning }))).toEqual({ level: 'warn', reason: 'little memory', of: null });
  });

  it('leaves out those that are there already, unless all are', () => {
    const here = { ...vm, hostId: 'host-2' };
    expect(says([vm, here], () => ({ 'host-2': fine })).level).toBe('ok');
    expect(says([here], () => ({})).level).toBe('here');
  });

  it('is not yet known while the hosts are asked, and no yes where they were not', () => {
    expect(says([vm], () => 'asking').level).toBe('checking');
    expect(says([vm], () => 'unknown')).toMatchObject({
      level: 'warn',
      reason: expect.stringMatching(/Not checked/) as string,
    });
    expect(says([vm], () => ({}))).toMatchObject({ level: 'warn' });
  });
});

describe('a drag', () => {
  function begun(answer: () => Promise<Record<string, Preflight>>) {
    const drop = vi.fn();
    const refused = vi.fn();
    const drag = new Drag({ host: (id) => hosts.find((one) => one.id === id), ask: vi.fn(answer), drop, refused });
    drag.start([vm], 'mouse');
    return { drag, drop, refused };
  }
  const settled = () => new Promise<void>((resolve) => setTimeout(resolve));

  it('shows at once what is known, then what the hosts answer', async () => {
    const { drag } = begun(async () => ({ 'host-2': fine, 'host-3': no }));
    expect(hosts.map((one) => drag.verdict(one)?.level)).toEqual(['here', 'checking', 'checking']);
    await settled();
    expect(hosts.map((one) => drag.verdict(one)?.level)).toEqual(['here', 'ok', 'blocked']);
  });

  it('drops on a host that takes it, and before the hosts have answered', () => {
    const { drag, drop } = begun(() => new Promise(() => {}));
    drag.drop('host-2');
    expect(drop).toHaveBeenCalledWith([vm], 'host-2');
    expect(drag.active).toBe(false);
  });

  it('says why a host did not take it, and does nothing where it is', async () => {
    const { drag, drop, refused } = begun(async () => ({ 'host-2': no }));
    await settled();
    drag.drop('host-2');
    expect(refused).toHaveBeenCalledWith('local disk');
    drag.start([vm], 'keyboard');
    drag.drop('host-1');
    expect(drop).not.toHaveBeenCalled();
    expect(refused).toHaveBeenCalledTimes(1);
  });

  it('does not take the answers of the drag before for its own', async () => {
    let answer!: (all: Record<string, Preflight>) => void;
    const { drag } = begun(() => new Promise((resolve) => (answer = resolve)));
    const first = answer;
    drag.end();
    drag.start([vm], 'mouse');
    first({ 'host-2': no });
    await settled();
    expect(drag.verdict(host(1))?.level).toBe('checking');
  });

  it('warns where the hosts could not be asked', async () => {
    const { drag } = begun(async () => Promise.reject(new Error('no')));
    await settled();
    expect(drag.verdict(host(1))?.level).toBe('warn');
  });
});
