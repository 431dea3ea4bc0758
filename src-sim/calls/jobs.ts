// Jobs of a domain: how far they are, how fast they may go, and their end.
import { jobType, param } from '../../src-main/libvirt/index.ts';
import type { Domain } from '../domain.ts';
import { mustRun } from '../lifecycle.ts';
import { abort, startPostcopy } from '../migration/source.ts';
import { refuse } from '../refusal.ts';
import type { Handlers } from './handlers.ts';

const COMPLETED = 1;
const KEEP = 2;
const none = { type: jobType.none, params: [] };

function checkSource(domain: Domain): void {
  if (domain.incoming && domain.active) {
    const what = 'migration statistics are available only on the source host';
    throw refuse.qemu('operation_unsupported', `Operation not supported: ${what}`);
  }
}

export const jobs: Handlers = {
  domain_get_job_stats: ({ dom, flags }, { daemon }) => {
    const domain = daemon.named(dom);
    if (flags & COMPLETED) {
      const params = domain.completed;
      if (!params) return none;
      if (!(flags & KEEP)) domain.completed = null;
      return { type: jobType.completed, params };
    }
    mustRun(domain);
    checkSource(domain);
    const { outgoing } = domain;
    if (!outgoing) return none;
    const elapsed = Math.round(daemon.fleet.clock.now() - outgoing.beganMs);
    const early = [param.i32('operation', 5), param.u64('time_elapsed', elapsed)];
    return { type: jobType.unbounded, params: outgoing.transfer?.stats() ?? early };
  },
  domain_get_job_info: ({ dom }, { daemon }) => {
    const domain = daemon.named(dom);
    mustRun(domain);
    checkSource(domain);
    const figures = domain.outgoing?.transfer?.figures ?? { elapsedMs: 0, total: 0, sent: 0, left: 0 };
    const { elapsedMs, total, sent, left } = figures;
    return {
      type: domain.outgoing ? jobType.unbounded : jobType.none,
      time_elapsed: elapsedMs,
      time_remaining: 0,
      data_total: total,
      data_processed: sent,
      data_remaining: left,
      mem_total: total,
      mem_processed: sent,
      mem_remaining: left,
      file_total: 0,
      file_processed: 0,
      file_remaining: 0,
    };
  },
  domain_abort_job: async ({ dom }, { daemon }) => {
    await abort(daemon.named(dom));
    return {};
  },
  domain_abort_job_flags: async ({ dom }, { daemon }) => {
    await abort(daemon.named(dom));
    return {};
  },
  domain_migrate_set_max_downtime: ({ dom, downtime }, { daemon }) => {
    const domain = daemon.named(dom);
    mustRun(domain);
    domain.maxDowntimeMs = Number(downtime);
    domain.outgoing?.transfer?.retune();
    return {};
  },
  domain_migrate_get_max_downtime: ({ dom }, { daemon }) => {
    const domain = daemon.named(dom);
    mustRun(domain);
    return { downtime: domain.maxDowntimeMs };
  },
  domain_migrate_set_max_speed: ({ dom, bandwidth }, { daemon }) => {
    const domain = daemon.named(dom);
    domain.maxSpeed = Number(bandwidth);
    domain.outgoing?.transfer?.retune();
    return {};
  },
  domain_migrate_get_max_speed: ({ dom }, { daemon }) => ({ bandwidth: BigInt(daemon.named(dom).maxSpeed) }),
  domain_migrate_start_post_copy: ({ dom }, { daemon }) => {
    startPostcopy(daemon, daemon.named(dom));
    return {};
  },
};
