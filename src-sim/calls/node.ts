// The host itself: what it has, and how busy it is.
import { hostCpu, freeBytes } from '../stats.ts';
import type { Handlers } from './handlers.ts';

export const node: Handlers = {
  node_get_info: (_args, { daemon }) => {
    const { cpus, mhz, memoryGiB } = daemon.host.spec;
    const memory = memoryGiB * 2 ** 20;
    return {
      model: 'x86_64',
      memory,
      cpus,
      mhz,
      nodes: 1,
      sockets: 1,
      cores: Math.max(1, cpus / 2),
      threads: cpus > 1 ? 2 : 1,
    };
  },
  node_get_cpu_stats: ({ nparams }, { daemon }) => {
    if (nparams === 0) return { params: [], nparams: 4 };
    const { kernel, user, idle, iowait } = hostCpu(daemon);
    const params = [
      { name: 'kernel', value: kernel },
      { name: 'user', value: user },
      { name: 'idle', value: idle },
      { name: 'iowait', value: iowait },
    ];
    return { params, nparams: 4 };
  },
  node_get_memory_stats: ({ nparams }, { daemon }) => {
    if (nparams === 0) return { params: [], nparams: 4 };
    const free = Math.round(freeBytes(daemon) / 1024);
    const total = daemon.host.spec.memoryGiB * 2 ** 20;
    const cached = Math.round(free * 0.2);
    const params = [
      { name: 'total', value: total },
      { name: 'free', value: free - cached },
      { name: 'buffers', value: 0 },
      { name: 'cached', value: cached },
    ];
    return { params, nparams: 4 };
  },
  node_get_free_memory: (_args, { daemon }) => ({ free: freeBytes(daemon) }),
  node_get_cpu_map: (_args, { daemon }) => {
    const { cpus } = daemon.host.spec;
    const map = Buffer.alloc(Math.ceil(cpus / 8));
    for (let at = 0; at < cpus; at++) map.writeUInt8(map.readUInt8(at >> 3) | (1 << (at & 7)), at >> 3);
    return { map, online: cpus, total: cpus };
  },
};
