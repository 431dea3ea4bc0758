// Whether the target has what the VM's network cards are plugged into: networks of libvirt's, bridges, devices.
import type { Check, Remedy } from '../../../contract/model.ts';
import type { Host } from '../../fleet/host.ts';
import { changed } from '../../fleet/xml-edit.ts';
import { attribute, child, children, type XmlElement } from '../../fleet/xml.ts';
import { type Connection, LibvirtError, type Net } from '../../libvirt/index.ts';
import { isOff } from '../options.ts';
import type { Route } from '../route.ts';
import type { SourceXml } from './domain-xml.ts';
import { diff } from './diff.ts';
import { byOptions, onHost, virshLine } from './remedies.ts';
import { ok, quoted, said, warn } from './say.ts';

type Kind = 'network' | 'bridge' | 'dev';
interface Plug {
  kind: Kind;
  name: string;
}

/** Others that are offered instead, at most. */
const mostOffered = 3;

export async function checkNetworks(route: Route, root: XmlElement, xml: SourceXml): Promise<Check[]> {
  const plugs = plugsOf(root);
  const named = (kinds: Kind[]) => plugs.filter(({ kind }) => kinds.includes(kind));
  const [networks, devices] = await Promise.all([
    Promise.all(named(['network']).map((plug) => checkNetwork(route, plug, xml))),
    checkDevices(route, named(['bridge', 'dev']), xml),
  ]);
  return [...networks, ...devices];
}

/** Each once. */
function plugsOf(root: XmlElement): Plug[] {
  const plugs = new Map<string, Plug>();
  for (const element of children(child(root, 'devices'), 'interface')) {
    const type = attribute(element, 'type');
    const source = child(element, 'source');
    // Of one that runs, the type is what the network made of it.
    const kinds: Kind[] =
      type === 'direct' ? ['network', 'dev'] : type === 'bridge' ? ['network', 'bridge'] : ['network'];
    const kind = kinds.find((one) => attribute(source, one) !== null);
    const name = kind && attribute(source, kind);
    if (kind && name) plugs.set(`${kind} ${name}`, { kind, name });
  }
  return [...plugs.values()];
}

/** A VM that is shut off moves all the same, and lacks it when it is started. */
const level = ({ options }: Route) => (isOff(options) ? 'warn' : 'error');

async function checkNetwork(route: Route, plug: Plug, xml: SourceXml): Promise<Check> {
  const { domain, target } = route;
  const { name } = plug;
  const id = `network-${name}`;
  const on = target.connection;
  try {
    const { net } = await on.call('network_lookup_by_name', { name });
    const { active } = await on.call('network_is_active', { net });
    if (active !== 0) return ok(id, `The network ${name} is active on ${target.label}.`);
    const message = `The network ${name}, which ${domain.name} uses, is not active on ${target.label}.`;
    return said(id, level(route), message, 'Start it there.', [starting(target, net)]);
  } catch (thrown) {
    if (!LibvirtError.is(thrown, 'no_network')) {
      return warn(id, `Whether ${target.label} has the network ${name} is not known (${quoted(thrown)}).`);
    }
    const others = await activeNetworks(on);
    const message = `${target.label} has no network ${name}, which ${domain.name} uses.`;
    const fix = 'Define it there, or put the VM on another network by destXml.';
    return said(id, level(route), message, fix, await instead(route, plug, others, xml));
  }
}

function starting(target: Host, net: Net): Remedy {
  const remedy: Remedy = {
    id: `start-network-${net.name}`,
    label: `Start the network ${net.name} on ${target.label}`,
    preview: virshLine(target, 'net-start', net.name),
  };
  return onHost(remedy, {
    host: target,
    doing: `starting the network ${net.name}`,
    act: async () => {
      await (await target.work()).call('network_create', { net });
    },
  });
}

async function activeNetworks(on: Connection): Promise<string[]> {
  const active = 2;
  const { nets } = await on.call('connect_list_all_networks', { need: 1, flags: active }).catch(() => ({ nets: [] }));
  return nets.map(({ name }) => name);
}

async function checkDevices(route: Route, plugs: Plug[], xml: SourceXml): Promise<Check[]> {
  if (plugs.length === 0) return [];
  const { domain, target } = route;
  const there = await devicesOf(target);
  const one = async (plug: Plug): Promise<Check> => {
    const { kind, name } = plug;
    const word = kind === 'bridge' ? 'bridge' : 'network device';
    const id = `${kind === 'bridge' ? 'bridge' : 'device'}-${name}`;
    if (!there) return warn(id, `Whether ${target.label} has the ${word} ${name} is not known.`);
    if (there.all.has(name)) return ok(id, `${target.label} has the ${word} ${name}.`);
    const message = `${target.label} has no ${word} ${name}, which ${domain.name} uses.`;
    const fix = `Make one there, or use another one by destXml.`;
    const others = kind === 'bridge' ? there.bridges : [];
    return said(id, level(route), message, fix, await instead(route, plug, others, xml));
  };
  return Promise.all(plugs.map(one));
}

interface Devices {
  all: Set<string>;
  bridges: string[];
}

/** Of the host's own kernel; where no command can be run there, what libvirt tells. Null where neither says. */
async function devicesOf(target: Host): Promise<Devices | null> {
  const command =
    'cd /sys/class/net && for d in *; do if [ -d "$d/bridge" ]; then echo "bridge $d"; else echo "device $d"; fi; done';
  const ran = await target.shell(command);
  const lines = ran?.code === 0 ? [...ran.stdout.matchAll(/^(bridge|device) (\S+)$/gm)] : [];
  if (lines.length > 0) {
    const bridges = lines.filter(([, kind]) => kind === 'bridge').map(([, , name = '']) => name);
    return { all: new Set(lines.map(([, , name = '']) => name)), bridges };
  }
  try {
    const { interfaces } = await target.connection.call('connect_list_all_interfaces', { need: 1, flags: 0 });
    if (interfaces.length === 0) return null;
    return { all: new Set(interfaces.map(({ name }) => name)), bridges: [] };
  } catch {
    return null;
  }
}

/** The VM plugged into something else over there: its XML for the target, edited. */
async function instead(
  { options, target }: Route,
  { kind, name }: Plug,
  others: string[],
  xml: SourceXml,
): Promise<Remedy[]> {
  if (others.length === 0) return [];
  const before = options.destXml ?? (await xml.migratable());
  if (before === null) return [];
  return others.slice(0, mostOffered).map((other) => {
    const destXml = changed(before, ['domain', 'devices', 'interface'], (element) =>
      kind === 'bridge' && /<source\b[^>]*\bnetwork=/.test(element)
        ? element
        : element.replace(
            new RegExp(`(<source\\b[^>]*?\\b${kind}=)(['"])([^'"]*)\\2`),
            (whole, start: string, mark: string, value: string) =>
              value === name ? `${start}${mark}${other}${mark}` : whole,
          ),
    );
    const word = kind === 'bridge' ? 'bridge' : 'network';
    return byOptions(
      `${word}-${name}-${other}`,
      `Use the ${word} ${other} on ${target.label}`,
      { destXml },
      {
        kind: 'xml-diff',
        text: diff(before, destXml),
      },
    );
  });
}
