// The lab's real daemons, put to the same cases as the simulated ones.
import { connect } from 'node:net';
import { beforeAll, describe } from 'vitest';
import { conformance } from '../conformance/cases.ts';
import { diskPath, guestNamed } from './guests.ts';
import { Lab } from './lab.ts';

describe('a real daemon', () => {
  beforeAll(async () => {
    const lab = await Lab.open();
    await lab.reset();
    // A guest of the same UUID makes room for the case's own.
    await lab.virsh('kvm1', 'undefine', 'files01');
    const shared = diskPath({ ...guestNamed('db01'), name: 'db01c' });
    await lab.exec('kvm1', ['qemu-img', 'create', '-q', '-f', 'qcow2', shared, '64M']);
    return async () => {
      await lab.exec('kvm1', ['rm', '-f', shared]);
      await lab.reset();
    };
  });

  conformance(async () => {
    const lab = await Lab.open();
    return {
      patienceMs: 40_000,
      dial: (host) => {
        const socket = connect(`/proc/${lab.host(host).init.pid}/root/run/libvirt/libvirt-sock`);
        return new Promise((resolve, reject) => socket.once('connect', () => resolve(socket)).once('error', reject));
      },
    };
  });
});
