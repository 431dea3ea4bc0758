// A VM's definition and its snapshots through the API, on a real libvirt: what it refuses, and what it keeps.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DomainView, HostView, MigrationView, SnapshotList, SnapshotView } from '../../contract/model.ts';
import { Lab } from './lab.ts';
import { Served } from './served.ts';

const lab = await Lab.open();
let drover: Served;
let at: string;
const url = ({ hostId, uuid }: DomainView) => `/hosts/${hostId}/domains/${uuid}`;

beforeAll(async () => {
  await lab.reset();
  drover = await Served.start();
  await drover.addLab(lab);
});
afterAll(async () => {
  await drover.remove();
  await lab.reset();
});

describe('a definition edited by hand', () => {
  const read = async () => (await drover.get<{ xml: string }>('GET', `${at}/xml?inactive=1&secure=1`)).xml;
  const write = (xml: string, was: string) => drover.ask('POST', `${at}/xml`, { xml, was });

  beforeAll(async () => {
    at = url(await drover.domain('web01'));
  });

  it('is taken with what Drover knows nothing of, and a password stays', async () => {
    const was = await read();
    const note = "<metadata><lab:note xmlns:lab='urn:lab'>kept</lab:note></metadata>";
    const edited = was
      .replace('</uuid>', `</uuid>${note}`)
      .replace("<graphics type='vnc'", "<graphics type='vnc' passwd='se&amp;cret'");
    expect(await write(edited, was)).toMatchObject({ err: null });
    const now = await read();
    expect(now).toMatch(/<lab:note xmlns:lab=.urn:lab.>kept<\/lab:note>/);
    // Not asked for, a password is not shown; edited as it was read, it is not lost.
    expect(await lab.virsh('kvm1', 'dumpxml', '--inactive', 'web01')).not.toContain('passwd');
    expect(await write(now.replace(/<on_crash>\w+</, '<on_crash>restart<'), now)).toMatchObject({ err: null });
    expect(await lab.virsh('kvm1', 'dumpxml', '--inactive', '--security-info', 'web01')).toContain(
      "passwd='se&amp;cret'",
    );
  });

  it('is refused by libvirt’s schema, in its words, with what it does not know', async () => {
    const was = await read();
    const { err } = await write(was.replace('<devices>', '<devices><gadget/>'), was);
    expect(err?.code).toBe('libvirt');
    expect(err?.message).toMatch(/XML document failed to validate against schema/);
    expect(await read()).toBe(was);
  });

  it('overwrites nothing that virsh changed meanwhile', async () => {
    const was = await read();
    await lab.virsh('kvm1', 'desc', 'web01', '--config', 'theirs');
    expect((await write(was.replace('</uuid>', '</uuid><title>mine</title>'), was)).err?.code).toBe('conflict');
    expect(await read()).toContain('<description>theirs</description>');
  });
});

describe('tags and groups', () => {
  it('are kept in the definition, told of when virsh changes them, and go along to another host', async () => {
    const web01 = await drover.domain('web01');
    const tagged = await drover.get<DomainView>('PATCH', url(web01), { tags: ['web', 'größe', 'a&b'] });
    expect(tagged.tags).toEqual(['web', 'größe', 'a&b']);
    expect(await lab.virsh('kvm1', 'metadata', 'web01', 'urn:drover:vm:1', '--config')).toContain('<tag>größe</tag>');
    const set = ['--key', 'drover', '--set', '<vm><tag>web</tag><tag>theirs</tag></vm>', '--live', '--config'];
    await lab.virsh('kvm1', 'metadata', 'web01', 'urn:drover:vm:1', ...set);
    const tags = async () => (await drover.domain('web01')).tags;
    await expect.poll(tags).toEqual(['web', 'theirs']);
    const to = (await drover.get<HostView[]>('GET', '/hosts')).find(({ label }) => label === 'kvm2')?.id;
    const { uuid, hostId: from } = web01;
    const { id } = await drover.get<MigrationView>('POST', '/migrations', { uuid, from, to });
    expect((await drover.migrated(id)).state).toBe('completed');
    await expect.poll(async () => (await drover.domain('web01')).hostId).toBe(to);
    await expect.poll(tags).toEqual(['web', 'theirs']);
    const moved = await drover.domain('web01');
    expect((await drover.get<DomainView>('PATCH', url(moved), { tags: [] })).tags).toEqual([]);
  });

  it('a host stands in a group until it is taken out', async () => {
    const { hostId } = await drover.domain('web01');
    expect(await drover.get('PATCH', `/hosts/${hostId}`, { group: 'Rack A' })).toMatchObject({ group: 'Rack A' });
    expect(await drover.get('PATCH', `/hosts/${hostId}`, { label: 'kvm2' })).toMatchObject({ group: 'Rack A' });
    expect(await drover.get('PATCH', `/hosts/${hostId}`, { group: null })).toMatchObject({ group: null });
  });
});

describe('snapshots', () => {
  const list = () => drover.get<SnapshotList>('GET', `${at}/snapshots`);

  beforeAll(async () => {
    at = url(await drover.domain('db01'));
  });

  it('are taken with memory, as virsh lists them, and gone back to', async () => {
    const made = await drover.get<SnapshotView>('POST', `${at}/snapshots`, { name: 'clean & new', description: 'why' });
    expect(made).toMatchObject({ name: 'clean & new', state: 'running', memory: true, description: 'why' });
    await drover.get('POST', `${at}/snapshots`, { name: 'later' });
    expect((await lab.virsh('kvm1', 'snapshot-list', 'db01', '--name')).split('\n').filter(Boolean).sort()).toEqual([
      'clean & new',
      'later',
    ]);
    expect(await list()).toMatchObject({
      diskOnly: null,
      snapshots: [
        { name: 'clean & new', current: false, disks: [{ target: 'vda', kind: 'internal' }] },
        { name: 'later', current: true, parent: 'clean & new' },
      ],
    });
    const back = await drover.get<DomainView>(
      'POST',
      `${at}/snapshots/${encodeURIComponent('clean & new')}/revert`,
      {},
    );
    expect(back).toMatchObject({ state: 'running', reason: 'from snapshot' });
    expect((await list()).snapshots.find(({ current }) => current)?.name).toBe('clean & new');
  });

  it('are deleted with those made upon them', async () => {
    await drover.get('DELETE', `${at}/snapshots/${encodeURIComponent('clean & new')}?children=1`);
    expect(await list()).toMatchObject({ snapshots: [] });
    expect((await lab.virsh('kvm1', 'snapshot-list', 'db01', '--name')).trim()).toBe('');
  });
});
