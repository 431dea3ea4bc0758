// Firmware: its code, and what its variables are first filled with, have to be where the VM's XML says.
import type { Check } from '../../../contract/model.ts';
import { attribute, child, text, type XmlElement } from '../../fleet/xml.ts';
import type { Host } from '../../fleet/host.ts';
import { isOff } from '../options.ts';
import type { Route } from '../route.ts';
import { quote } from '../virsh.ts';
import { error, ok, warn } from './say.ts';

export async function checkFirmware({ domain, target, options }: Route, root: XmlElement): Promise<Check[]> {
  const os = child(root, 'os');
  const boots = ['kernel', 'initrd'].map((name) => ({ id: name, what: `The ${name}`, path: text(child(os, name)) }));
  const loader = { id: 'loader', what: 'The firmware', path: text(child(os, 'loader')) };
  const nvram = child(os, 'nvram');
  const variables = attribute(child(nvram, 'source'), 'file') ?? text(nvram);
  const wanted = [...boots, loader].filter(({ path }) => path.startsWith('/'));
  const paths = wanted.map(({ path }) => path);
  const there = paths.length === 0 ? null : await present(target, paths);
  const checks = wanted.map(({ id, what, path }): Check => {
    const found = there?.get(path);
    if (found === undefined) return warn(id, `${what} (${path}): whether ${target.label} has it is not known.`);
    if (found) return ok(id, `${what} (${path}) is there on ${target.label}.`);
    const message = `${what} of ${domain.name} (${path}) is not there on ${target.label}.`;
    const fix = id === 'loader' ? 'Install the same firmware package there.' : 'Copy it there, to the same path.';
    return isOff(options) ? warn(id, message, fix) : error(id, message, fix);
  });
  if (variables.startsWith('/')) {
    checks.push(ok('nvram', `The firmware’s variables (NVRAM, ${variables}) of ${domain.name} go along.`));
  }
  return checks;
}

/** Of each path, whether it is there; null where the host does not tell. */
async function present(host: Host, paths: string[]): Promise<Map<string, boolean> | null> {
  const one = (path: string) => `if [ -e ${quote(path)} ]; then echo there; else echo absent; fi`;
  const ran = await host.shell(paths.map(one).join('; '));
  const lines = ran?.code === 0 ? ran.stdout.trim().split('\n') : [];
  if (lines.length !== paths.length || !lines.every((line) => line === 'there' || line === 'absent')) return null;
  return new Map(paths.map((path, at) => [path, lines[at] === 'there']));
}
