// What several VMs' tags come to, and the tree that is made of groups, hosts, VMs and tags.
import { describe, expect, it, vi } from 'vitest';
import { changedTags, groupQuery, noTag } from '../../src-renderer/stores/tags.ts';
import { treeRows } from '../../src-renderer/views/tree-rows.ts';
import { FleetStore } from '../../src-renderer/stores/fleet.svelte.ts';
import { madeUpFleet } from './made-up-fleet.ts';
import { ScriptedLink } from './scripted-link.ts';

describe('a change of tags', () => {
  it.each([
    ['adds', ['a'], { add: ['b'], remove: [] }, ['a', 'b']],
    ['takes away, however it is written', ['Web', 'a'], { add: [], remove: ['web'] }, ['a']],
    ['leaves one that is there as it is written', ['Web'], { add: ['web'], remove: [] }, null],
    ['is none where nothing changes', ['a'], { add: [], remove: ['b'] }, null],
  ])('%s', (_, tags, change, wanted) => expect(changedTags(tags, change)).toEqual(wanted));

  it('takes words only', () => {
    expect(noTag('two words')).toMatch(/one word/);
    expect(noTag('x'.repeat(65))).toMatch(/64/);
    expect(noTag('prod')).toBeNull();
    expect(groupQuery('Rack A')).toBe('group:"Rack A"');
  });
});

describe('the tree', () => {
  const fleet = async () => {
    const snapshot = madeUpFleet({ hosts: 3, each: 2 });
    const [first, , third] = snapshot.hosts;
    if (first && third) third.group = first.group = 'Rack A';
    for (const domain of snapshot.domains) domain.tags = domain.hostId === 'host-2' ? ['Web'] : ['web', 'prod'];
    const link = new ScriptedLink();
    link.answer('fleet.snapshot', () => snapshot);
    const store = new FleetStore(link);
    store.start();
    link.emit('up', true);
    await vi.waitFor(() => expect(store.known).toBe(true));
    return store;
  };
  const rowsOf = (store: FleetStore, isOpen: (key: string) => boolean) =>
    treeRows({ hosts: store.hostList, of: ({ domains }) => domains, tags: store.tagList, isOpen });
  const shape = (rows: ReturnType<typeof treeRows>) => rows.map(({ kind, level }) => `${level} ${kind}`);

  it('has groups first, hosts without one after them, and tags with their VMs at the end', async () => {
    const store = await fleet();
    expect(store.groupList).toEqual(['Rack A']);
    expect(store.tagList.map(({ id, domains }) => [id, domains.length])).toEqual([
      ['prod', 4],
      ['web', 6],
    ]);
    const open = new Set(['group:Rack A', 'host-2', 'tags', 'tag:prod']);
    expect(shape(rowsOf(store, (key) => open.has(key)))).toEqual([
      '1 group',
      '2 host',
      '2 host',
      '1 host',
      '2 domain',
      '2 domain',
      '1 tags',
      '2 tag',
      ...Array<string>(4).fill('3 domain'),
      '2 tag',
    ]);
    const keys = rowsOf(store, () => true).map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
