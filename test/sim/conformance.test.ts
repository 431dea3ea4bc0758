// The simulated daemons, put to the same cases as the real ones.
import { duplexPair } from 'node:stream';
import { afterAll, describe, expect } from 'vitest';
import { SimFleet } from '../../src-sim/index.ts';
import { conformance } from '../conformance/cases.ts';
import { diskPath, guestNamed } from '../lab/guests.ts';

describe('a simulated daemon', () => {
  let sim: SimFleet;
  afterAll(async () => {
    expect(sim.problems).toEqual([]);
    await sim.close();
  });

  conformance(async () => {
    const hosts = ['kvm1', 'kvm2'].map((name) => ({ name, networks: [] }));
    sim = await SimFleet.start({ seed: 'conformance', speed: 10, hosts });
    const disks = [diskPath({ ...guestNamed('db01'), name: 'db01c' }), diskPath(guestNamed('files01'))];
    for (const path of disks) sim.storage.put('kvm1', path, 64 << 20);
    return {
      patienceMs: 5_000,
      dial: async (host) => {
        const [near, far] = duplexPair();
        far.on('close', () => near.destroy());
        near.on('close', () => far.destroy());
        sim.host(host).daemon.accept(far);
        return near;
      },
    };
  });
});
