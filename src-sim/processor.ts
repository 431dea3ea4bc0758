// The processors that a host can give its guests: what a comparison says of one, and a guest that comes with more.
import type { SimHost } from './host.ts';
import { errorDomains } from '../src-main/libvirt/index.ts';
import { Refusal, refuse } from './refusal.ts';
import { childOf, childrenOf, type Node, parseXml, textOf } from './xml.ts';

/** `connect_compare_cpu`: incompatible is an error then. */
const FAIL_INCOMPATIBLE = 1;
const INCOMPATIBLE = 0;
const SUPERSET = 2;

/** @throws Refusal for what is no processor's XML, or where that was asked for, for one that it lacks features of */
export function compareCpu(host: SimHost, xml: string, flags: number): { result: number } {
  const missing = missingOf(host, read(xml));
  if (missing.length === 0) return { result: SUPERSET };
  if (!(flags & FAIL_INCOMPATIBLE)) return { result: INCOMPATIBLE };
  const what = `Host CPU does not provide required features: ${missing.join(', ')}`;
  throw refuse.cpu('cpu_incompatible', `the CPU is incompatible with host CPU: ${what}`);
}

/** What all of them have, as the model of the first: it stands for the one that the others can give, too. */
export function baselineCpu(host: SimHost, all: readonly string[]): { cpu: string } {
  const [first, ...others] = all.map(read);
  const model = textOf(first, 'model');
  if (!model) throw refuse.cpu('cpu_incompatible', 'no CPU model is given');
  const required = (cpu: Node | undefined) =>
    childrenOf(cpu, 'feature')
      .filter(({ attributes }) => attributes['policy'] === 'require')
      .map(({ attributes }) => attributes['name'] ?? '');
  const common = required(first).filter(
    (name) => others.every((cpu) => required(cpu).includes(name)) && !host.spec.lacks.includes(name),
  );
  const features = common.map((name) => `  <feature policy='require' name='${name}'/>\n`).join('');
  return { cpu: `<cpu mode='custom' match='exact'>\n  <model fallback='forbid'>${model}</model>\n${features}</cpu>\n` };
}

function read(xml: string): Node {
  try {
    return parseXml(xml);
  } catch (error) {
    throw new Refusal(35, errorDomains.cpu, `(CPU_definition):1: ${error instanceof Error ? error.message : ''}`);
  }
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
