// How long it is taken for granted that the daemons reach each other, or do not.
import { beforeEach, expect, it } from 'vitest';
import type { Host } from '../../src-main/fleet/host.ts';
import { type Peer, PeerProofs } from '../../src-main/migration/preflight/peer.ts';

let nowMs: number;
let asked: number;
let answer: Pick<Peer, 'proved' | 'silent'>;
const host = () => ({ connection: {} }) as Host;
const proofs = () =>
  new PeerProofs({ now: () => nowMs }, async () => {
    asked += 1;
    return { ...answer, uri: '', check: { id: 'p2p', level: 'ok', message: '' } };
  });
beforeEach(() => {
  nowMs = 0;
  asked = 0;
  answer = { proved: true, silent: false };
});

it.each([
  ['what is proved', { proved: true, silent: false }],
  ['silence', { proved: false, silent: true }],
])('%s holds for a minute', async (_, given) => {
  answer = given;
  const [it_, a, b] = [proofs(), host(), host()];
  await it_.known(a, b, false);
  nowMs = 59_999;
  expect(await it_.known(a, b, false)).toMatchObject(given);
  expect(asked).toBe(1);
  nowMs = 60_000;
  await it_.known(a, b, false);
  expect(asked).toBe(2);
});

it('a refusal does not hold: what causes it may just have been mended', async () => {
  const [it_, a, b] = [proofs(), host(), host()];
  answer = { proved: false, silent: false };
  await it_.known(a, b, false);
  answer = { proved: true, silent: false };
  expect(await it_.known(a, b, false)).toMatchObject({ proved: true });
});

it('silence does not hold for who chose just this way', async () => {
  const [it_, a, b] = [proofs(), host(), host()];
  answer = { proved: false, silent: true };
  await it_.known(a, b, true);
  answer = { proved: true, silent: false };
  expect(await it_.known(a, b, true)).toMatchObject({ proved: true });
  await it_.known(a, b, true);
  expect(asked).toBe(2);
});

it('nothing holds once a host is connected anew, nor the other way round', async () => {
  const [it_, a, b] = [proofs(), host(), host()];
  await it_.known(a, b, false);
  await it_.known({ connection: {} } as Host, b, false);
  await it_.known(a, { connection: {} } as Host, false);
  await it_.known(b, a, false);
  expect(asked).toBe(4);
});
