// Networks: which there are, and what they are.
import { macOf } from '../chance.ts';
import type { Daemon, Network } from '../daemon.ts';
import { refuse } from '../refusal.ts';
import type { Handlers } from './handlers.ts';

function find({ networks }: Daemon, { name, uuid }: { name: string; uuid: string }): Network {
  const network = networks.find((each) => each.uuid === uuid);
  if (!network)
    throw refuse.network('no_network', `Network not found: no network with matching uuid '${uuid}' (${name})`);
  return network;
}

const ref = ({ name, uuid }: Network) => ({ name, uuid });

function xmlOf({ name, uuid, bridge, mode = 'nat' }: Network): string {
  const forward =
    mode === 'nat'
      ? `  <forward mode='nat'>\n    <nat>\n      <port start='1024' end='65535'/>\n    </nat>\n  </forward>\n  <bridge name='${bridge}' stp='on' delay='0'/>\n  <ip address='192.168.122.1' netmask='255.255.255.0'>\n    <dhcp>\n      <range start='192.168.122.2' end='192.168.122.254'/>\n    </dhcp>\n  </ip>\n`
      : `  <forward mode='bridge'/>\n  <bridge name='${bridge}'/>\n`;
  return `<network>\n  <name>${name}</name>\n  <uuid>${uuid}</uuid>\n${forward}</network>\n`;
}

const ACTIVE = 2;
const INACTIVE = 1;

export const networks: Handlers = {
  connect_list_all_networks: ({ need, flags }, { daemon }) => {
    const found = daemon.networks
      .filter(({ active }) => !(flags & (ACTIVE | INACTIVE)) || (active ? flags & ACTIVE : flags & INACTIVE))
      .map(ref);
    return { nets: need ? found : [], total: found.length };
  },
  network_lookup_by_name: ({ name }, { daemon }) => {
    const network = daemon.networks.find((each) => each.name === name);
    if (!network) throw refuse.network('no_network', `Network not found: no network with matching name '${name}'`);
    return { net: ref(network) };
  },
  network_get_xml_desc: ({ net }, { daemon }) => ({ xml: xmlOf(find(daemon, net)) }),
  network_get_bridge_name: ({ net }, { daemon }) => ({ bridge: find(daemon, net).bridge }),
  network_get_autostart: ({ net }, { daemon }) => ({ autostart: find(daemon, net).autostart ? 1 : 0 }),
  network_set_autostart: ({ net, autostart }, { daemon }) => {
    find(daemon, net).autostart = autostart !== 0;
    return {};
  },
  network_is_active: ({ net }, { daemon }) => ({ active: find(daemon, net).active ? 1 : 0 }),
  network_is_persistent: ({ net }, { daemon }) => {
    find(daemon, net);
    return { persistent: 1 };
  },
  network_create: ({ net }, { daemon }) => {
    const network = find(daemon, net);
    if (network.active) {
      throw refuse.network('operation_invalid', 'Requested operation is not valid: network is already active');
    }
    network.active = true;
    return {};
  },
  network_destroy: ({ net }, { daemon }) => {
    const network = find(daemon, net);
    if (!network.active) {
      throw refuse.network(
        'operation_invalid',
        `Requested operation is not valid: network '${network.name}' is not active`,
      );
    }
    network.active = false;
    return {};
  },
  network_get_dhcp_leases: ({ net }, { daemon }) => {
    find(daemon, net);
    return { leases: [], total: 0 };
  },
  connect_list_all_interfaces: ({ need }, { daemon }) => {
    const names = [...daemon.host.bridges, 'eth0', 'lo'];
    const interfaces = names.map((name) => ({ name, mac: macOf(daemon.host.name, name) }));
    return { interfaces: need ? interfaces : [], total: interfaces.length };
  },
  connect_list_all_node_devices: () => ({ devices: [{ name: 'computer' }], total: 1 }),
};
