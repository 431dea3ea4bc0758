// The processors that a host can give its guests: what a comparison says of one, and a guest that comes with more.
import type { SimHost } from './host.ts';
import { errorDomains } from '../src-main/libvirt/index.ts';
import { Refusal, refuse } from './refusal.ts';
import { childOf, childrenOf, type Node, parseXml } from './xml.ts';

/** `connect_compare_cpu`: incompatible is an error then. */
const FAIL_INCOMPATIBLE = 1;
const INCOMPATIBLE = 0;
const SUPERSET = 2;

/** @throws Refusal for what is no processor's XML, or where that was asked for, for one that it lacks features of */
export function compareCpu(host: SimHost, xml: string, flags: number): { result: number } {
  let cpu: Node;
  try {
    cpu = parseXml(xml);
  } catch (error) {
    throw new Refusal(35, errorDomains.cpu, `(CPU_definition):1: ${error instanceof Error ? error.message : ''}`);
  }
  const missing = missingOf(host, cpu);
  if (missing.length === 0) return { result: SUPERSET };
  if (!(flags & FAIL_INCOMPATIBLE)) return { result: INCOMPATIBLE };
  const what = `Host CPU does not provide required features: ${missing.join(', ')}`;
  throw refuse.cpu('cpu_incompatible', `the CPU is incompatible with host CPU: ${what}`);
}

/** @throws Refusal where a guest that comes in has what the host cannot give it */
export function checkProcessor(host: SimHost, domainXml: string): void {
  const cpu = childOf(parseXml(domainXml), 'cpu');
  const missing = missingOf(host, cpu);
  if (missing.length === 0) return;
  const what = `guest CPU doesn't match specification: missing features: ${missing.join(',')}`;
  throw refuse.qemu('operation_failed', `operation failed: ${what}`);
}

const missingOf = ({ spec }: SimHost, cpu: Node | undefined): string[] =>
  childrenOf(cpu, 'feature')
    .filter(({ attributes }) => attributes['policy'] === 'require' && spec.lacks.includes(attributes['name'] ?? ''))
    .map(({ attributes }) => attributes['name'] ?? '');
