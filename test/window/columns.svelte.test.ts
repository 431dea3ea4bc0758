import { expect, it } from 'vitest';
import type { DomainView } from '../../contract/model.ts';
import { Domain } from '../../src-renderer/stores/domain.svelte.ts';
import { columns, inOrderOfNames, narrowest, sortBy, type ColumnId } from '../../src-renderer/views/columns.ts';
import { madeUpDomain, random } from './made-up-fleet.ts';

const vm = (name: string, change: Partial<DomainView> = {}) =>
  new Domain({ ...madeUpDomain(random(1), 'host-1', name, 'running'), uuid: name, ...change });
const names = (domains: readonly Domain[]) => domains.map(({ view }) => view.name);
const column = (wanted: ColumnId) => columns.find(({ id }) => id === wanted)!;

it('names are in the order in which people count, also where some came and went since', () => {
  const [web2, web10, mail, db] = [vm('web2'), vm('web10'), vm('mail'), vm('db')];
  const first = inOrderOfNames([], [web10, web2, mail]);
  expect(names(first)).toEqual(['mail', 'web2', 'web10']);
  expect(names(inOrderOfNames(first, [web10, db, mail]))).toEqual(['db', 'mail', 'web10']);
});

it('a column puts what is equal in it in the order of names, whichever way it is sorted', () => {
  const all = inOrderOfNames([], [vm('c', { vcpus: 2 }), vm('b', { vcpus: 4 }), vm('a', { vcpus: 2 })]);
  const sorted = (down: boolean) => names(sortBy(column('vcpus'), down, all, new Map()));
  expect(sorted(false)).toEqual(['a', 'c', 'b']);
  expect(sorted(true)).toEqual(['b', 'a', 'c']);
});

it('hosts are sorted by their labels, not by their ids', () => {
  const all = [vm('a', { hostId: 'host-1' }), vm('b', { hostId: 'host-2' })];
  const hosts = new Map([
    ['host-1', 'kvm9'],
    ['host-2', 'kvm1'],
  ]);
  expect(names(sortBy(column('host'), false, all, hosts))).toEqual(['b', 'a']);
});

it('the usual columns need no scrolling sideways in a window of 1280 pixels with all its panes', () => {
  const usual = columns.filter(({ extra }) => !extra);
  // What is left beside tree and details, less a scrollbar, at 16 pixels a rem.
  expect(parseFloat(narrowest(usual)) * 16).toBeLessThanOrEqual(682 - 11);
});
