// Which VM may drop on which host: a rule of its own, apart from any pointer. It answers why not.
import type { DomainView, HostView, Preflight } from '../../contract/model.ts';
import { dragRule as words } from '../words/drag.ts';

export interface Verdict {
  /** `checking`: nothing speaks against it so far, and the hosts are still being asked. `here`: it is where it is. */
  level: 'ok' | 'warn' | 'blocked' | 'checking' | 'here';
  /** The first thing to be said about it, a sentence; null where there is nothing. */
  reason: string | null;
  /** How many of the VMs this stands for; null where it holds for all. */
  of: number | null;
}

/** Why this VM cannot go to this host, as far as the window knows; null where nothing speaks against it. */
export function refuse(domain: DomainView, host: HostView, from: HostView | undefined): string | null {
  if (domain.hostId === host.id) return words.here(domain.name);
  if (host.state !== 'online') return words.notConnected(host.label);
  if (host.readOnly) return words.readOnly(host.label);
  if (!from || from.state !== 'online' || domain.stale) return words.notConnected(from?.label ?? null);
  if (from.readOnly) return words.readOnly(from.label);
  if (domain.job) return words.migrating(domain.name);
  if (domain.state === 'shutdown') return words.shuttingDown(domain.name);
  const total = host.info?.memoryKiB;
  if (total !== undefined && domain.state !== 'shutoff' && domain.memoryKiB > total) {
    return words.tooLarge(domain.name, host.label);
  }
  if (host.info && from.info && host.info.arch !== from.info.arch) {
    return words.otherArch(host.label, host.info.arch, from.label, from.info.arch);
  }
  return null;
}

/** What the hosts themselves answered, by VM and by host. */
export type Answers = (domain: DomainView) => Record<string, Preflight> | 'asking' | 'unknown';

/** One answer for all that is dragged: the worst there is, with its reason. */
export function judge(
  domains: readonly DomainView[],
  host: HostView,
  fromOf: (domain: DomainView) => HostView | undefined,
  answers: Answers,
): Verdict {
  // Those that are here already stay; only where all are is it no move.
  const coming = domains.filter((domain) => domain.hostId !== host.id);
  if (coming.length === 0) return { level: 'here', reason: null, of: null };
  const each = coming.map((domain) => judgeOne(domain, host, fromOf(domain), answers(domain)));
  const level = (['blocked', 'warn', 'checking'] as const).find((wanted) => each.some((one) => one.level === wanted));
  if (!level) return { level: 'ok', reason: null, of: null };
  const such = each.filter((one) => one.level === level);
  return { level, reason: such[0]?.reason ?? null, of: such.length < coming.length ? such.length : null };
}

function judgeOne(
  domain: DomainView,
  host: HostView,
  from: HostView | undefined,
  answers: Record<string, Preflight> | 'asking' | 'unknown',
): Verdict {
  const no = refuse(domain, host, from);
  if (no !== null) return { level: 'blocked', reason: no, of: null };
  if (answers === 'asking') return { level: 'checking', reason: null, of: null };
  const answer = answers === 'unknown' ? undefined : answers[host.id];
  if (!answer) return { level: 'warn', reason: words.notChecked, of: null };
  const wanted = answer.verdict === 'blocked' ? 'error' : 'warn';
  const check = answer.verdict === 'ok' ? undefined : answer.checks.find((one) => one.level === wanted);
  return { level: answer.verdict, reason: check?.message ?? null, of: null };
}
