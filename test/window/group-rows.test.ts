import { expect, it } from 'vitest';
import type { Domain } from '../../src-renderer/stores/domain.svelte.ts';
import { Group, grouped } from '../../src-renderer/views/group-rows.ts';

const vm = (key: string, of: string) => ({ key, of }) as unknown as Domain;
const of = (domain: Domain) => (domain as unknown as { of: string }).of;
const told = (rows: Domain[], closed: string[] = []) =>
  grouped(rows, of, 'In none', (key) => !closed.includes(key)).map((line) =>
    line instanceof Group ? `${line.title} (${line.count})` : line.key,
  );

it('each group stands above its VMs, which keep their order; the groups as people count', () => {
  const rows = [vm('c', 'kvm10'), vm('a', 'kvm2'), vm('b', 'kvm10')];
  expect(told(rows)).toEqual(['kvm2 (1)', 'a', 'kvm10 (2)', 'c', 'b']);
});

it('what is in no group comes last, and what is folded away is only counted', () => {
  const rows = [vm('a', ''), vm('b', 'Rack A'), vm('c', '')];
  expect(told(rows, ['group:Rack A'])).toEqual(['Rack A (1)', 'In none (2)', 'a', 'c']);
  expect(told(rows, ['group:In none'])).toEqual(['Rack A (1)', 'b', 'In none (2)']);
});
