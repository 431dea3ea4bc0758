// A domain's snapshots on one host: a tree by name, and where the domain stands in it.
import { domainState } from '../src-main/libvirt/index.ts';
import type { Daemon } from './daemon.ts';
import type { Definition } from './definition.ts';
import type { Domain, Saved } from './domain.ts';
import { go, hold, setState, stop } from './lifecycle.ts';
import { refuse } from './refusal.ts';
import { node, parseXml, readOwn, textOf, writeXml } from './xml.ts';

interface Kept {
  name: string;
  description: string;
  parent: string | null;
  /** Seconds since 1970. */
  made: number;
  state: number;
  diskOnly: boolean;
  definition: Definition;
  /** The guest's memory; null of one that did not run, and of disks alone. */
  memory: Saved | null;
}

const flag = { diskOnly: 16, revertRunning: 1, revertPaused: 2, children: 1, childrenOnly: 4 };
const stateNames: Record<number, string> = {
  [domainState.running]: 'running',
  [domainState.paused]: 'paused',
  [domainState.shutoff]: 'shutoff',
};
const unsupported = (what: string) => refuse.qemu('config_unsupported', `unsupported configuration: ${what}`);

export class Snapshots {
  readonly #all = new Map<string, Kept>();
  current: string | null = null;

  get count(): number {
    return this.#all.size;
  }
  get names(): string[] {
    return [...this.#all.keys()].sort();
  }

  /** @throws Refusal */
  find(name: string): Kept {
    const found = this.#all.get(name);
    if (!found) {
      const message = `Domain snapshot not found: no domain snapshot with matching name '${name}'`;
      throw refuse.qemu('no_domain_snapshot', message);
    }
    return found;
  }

  /** @throws Refusal */
  async create(daemon: Daemon, domain: Domain, xml: string, flags: number): Promise<string> {
    const root = parseXml(xml);
    const made = Math.floor(daemon.fleet.clock.epochMs / 1000);
    const name = textOf(root, 'name') || String(made);
    if (name.includes('/')) throw refuse.badSnapshot(`invalid snapshot name '${name}': name can't contain '/'`);
    if (name.startsWith('.')) {
      throw refuse.badSnapshot(`invalid snapshot name '${name}': name can't start with '.'`);
    }
    const diskOnly = (flags & flag.diskOnly) !== 0;
    const disks = domain.definition.disks.filter(
      ({ device, readonly, path }) => device === 'disk' && !readonly && path,
    );
    if (disks.length === 0 && diskOnly) throw unsupported('nothing selected for snapshot');
    if (disks.length === 0 && domain.active) {
      throw unsupported('internal and full system snapshots require all disks to be selected for snapshot');
    }
    await domain.lock.begin('snapshot');
    try {
      if (this.#all.has(name))
        throw refuse.domain('operation_failed', `operation failed: domain moment ${name} already exists`);
      const { guest, state } = domain;
      await daemon.fleet.clock.sleep(daemon.fleet.timings.save / 4);
      this.#all.set(name, {
        name,
        description: textOf(root, 'description'),
        parent: this.current,
        made,
        state,
        diskOnly,
        definition: domain.definition,
        memory: guest && !diskOnly ? { runMs: guest.runMs, line: guest.shell.line } : null,
      });
      this.current = name;
    } finally {
      domain.lock.end();
    }
    return name;
  }

  xml(name: string): string {
    const { description, parent, made, state, diskOnly, definition, memory } = this.find(name);
    const kind = diskOnly ? 'external' : 'internal';
    return writeXml(
      node('domainsnapshot', {}, [
        node('name', {}, name),
        ...(description ? [node('description', {}, description)] : []),
        node('state', {}, diskOnly ? 'disk-snapshot' : (stateNames[state] ?? 'shutoff')),
        ...(parent === null ? [] : [node('parent', {}, [node('name', {}, parent)])]),
        node('creationTime', {}, String(made)),
        node('memory', { snapshot: memory ? 'internal' : 'no' }),
        node(
          'disks',
          {},
          definition.disks.map(({ target }) => node('disk', { name: target, snapshot: kind })),
        ),
        readOwn(definition.xml),
      ]),
    );
  }

  /** @throws Refusal */
  async revert(daemon: Daemon, domain: Domain, name: string, flags: number): Promise<void> {
    const kept = this.find(name);
    if (kept.diskOnly) throw unsupported('revert to external snapshot not supported yet');
    await domain.lock.change(async () => {
      await daemon.fleet.clock.sleep(daemon.fleet.timings.save / 4);
      const { memory, state } = kept;
      const was = domain.active;
      domain.persistent = kept.definition;
      this.current = name;
      if (!memory) {
        if (was) stop(daemon, domain, 'snapshot');
        if (!(flags & (flag.revertRunning | flag.revertPaused))) return;
      }
      if (!domain.active) daemon.launch(domain, kept.definition);
      domain.guest?.stop();
      if (memory) domain.guest?.takeOver(memory);
      setState(daemon, domain, domainState.paused, 7);
      const pauses =
        (flags & flag.revertPaused) !== 0 || (state === domainState.paused && !(flags & flag.revertRunning));
      if (!was) daemon.tellLifecycle(domain, [2, 3]);
      if (pauses) {
        hold(daemon, domain, 7);
        return daemon.tellLifecycle(domain, [3, 5]);
      }
      go(daemon, domain, 4);
      if (was) daemon.tellLifecycle(domain, [4, 2]);
    });
  }

  /** What was made upon it goes on upon what it was made upon. @throws Refusal */
  async delete(domain: Domain, name: string, flags: number): Promise<void> {
    const kept = this.find(name);
    await domain.lock.change(() => {
      const gone = new Set((flags & (flag.children | flag.childrenOnly)) !== 0 ? this.#below(name) : []);
      if (flags & flag.childrenOnly) gone.delete(name);
      else gone.add(name);
      if (this.current !== null && gone.has(this.current)) {
        this.current = flags & flag.childrenOnly ? name : kept.parent;
      }
      for (const one of gone) this.#all.delete(one);
      for (const one of this.#all.values()) if (one.parent === name && gone.has(name)) one.parent = kept.parent;
    });
  }

  #below(name: string): string[] {
    const children = [...this.#all.values()].filter(({ parent }) => parent === name);
    return [name, ...children.flatMap((child) => this.#below(child.name))];
  }
}
