// Real hosts: three rounds of chaos; `npm run chaos -- --lab N` does as many as you like.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Blow, blows, chance, Chaos, phases, table, victims } from './chaos.ts';
import { Lab } from './lab.ts';

const lab = await Lab.open();
let chaos: Chaos;

beforeAll(async () => {
  await lab.reset();
  chaos = await Chaos.start(lab);
});
afterAll(async () => {
  await chaos.end();
  await lab.reset();
});

const struck: Blow[] = [
  { victim: 'libvirtd of the target', phase: 'perform', delayMs: 300, awayMs: 200 },
  { victim: 'Drover', phase: 'finish', delayMs: 0, awayMs: 200 },
  { victim: 'sshd of the source', phase: 'confirm', delayMs: 100, awayMs: 200 },
];

it.each(struck)(
  '$victim in $phase: the VM runs in exactly one place',
  async (blow) => {
    const round = await chaos.round(blow, chance(1));
    expect(round.wrong).toEqual([]);
  },
  180_000,
);

it('the table has a row a victim, and every blow in it', () => {
  const rounds = blows(victims.length * phases.length, 7).map((blow) => ({
    ...blow,
    from: 'kvm1',
    to: 'kvm3',
    struck: blow.phase,
    outcome: 'stayed' as const,
    wrong: [],
    state: 'failed' as const,
    seconds: 1,
  }));
  const lines = table(rounds).split('\n');
  expect(lines).toHaveLength(2 + victims.length);
  expect(lines.join('').match(/stayed 1/g)).toHaveLength(rounds.length);
});
