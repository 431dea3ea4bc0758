// Every procedure that the app calls is put to real and simulated daemons by a case, or it says here why not.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { procedures, type ProcedureName } from '../../src-main/libvirt/index.ts';

const top = resolve(import.meta.dirname, '../..');
const table = join(top, 'src-main/libvirt/procedures.ts');

/** What every case calls without naming it, and what no case may call. */
const without: Partial<Record<ProcedureName, string>> = {
  connect_close: 'every connection says it at its end, and each case closes those that it opened',
  connect_register_close_callback: 'by `on`, whose cases go through the same table with the events of domains',
  connect_unregister_close_callback: 'likewise',
  connect_network_event_register_any: 'likewise',
  connect_network_event_deregister_any: 'likewise',
  connect_storage_pool_event_register_any: 'likewise',
  connect_storage_pool_event_deregister_any: 'likewise',
  connect_node_device_event_register_any: 'likewise',
  connect_node_device_event_deregister_any: 'likewise',
};

function sources(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
    .filter((path) => path !== table)
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
}

const names = Object.keys(procedures) as ProcedureName[];
const named = (text: string) => new Set(names.filter((name) => text.includes(`'${name}'`)));
const called = named(sources(join(top, 'src-main')));
const covered = named(
  ['cases.ts', 'bench.ts'].map((file) => readFileSync(join(import.meta.dirname, file), 'utf8')).join('\n'),
);

it('finds what the app calls', () => {
  expect(called.size).toBeGreaterThan(80);
  expect(called).toContain('domain_migrate_perform3_params');
});

it('every procedure that the app calls has a case', () => {
  expect([...called].filter((name) => !covered.has(name) && without[name] === undefined)).toEqual([]);
});

it('nothing is excused that has a case, or that the app does not call', () => {
  const excused = Object.keys(without) as ProcedureName[];
  expect(excused.filter((name) => covered.has(name) || !called.has(name))).toEqual([]);
});
