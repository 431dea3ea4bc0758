// The window that sweeps a range for hosts: what it asks, how it goes, what is known and suggested, and what is added.
import type { ScanForecast, ScanPass, ScanView } from '../../contract/model.ts';
import { addHost } from './add-host.ts';
import { count } from './format.ts';
import { scanCost } from './scan.ts';

const addresses = (many: number) => count(many, 'address', 'addresses');

const passes: Record<ScanPass, string> = {
  full: 'Everything in the range',
  silent: 'Only what never answered',
  'non-libvirt': 'Only what had no libvirt',
  known: 'Only known libvirt hosts: still there?',
};

export const discover = {
  title: 'Find hosts',
  range: 'Range',
  rangeHint: 'A subnet, an address, a range a-b, or several of them',
  rangeFirst: 'Give a range first',
  /** What was typed comes to. */
  size: (many: number, isPublic: boolean, wide: boolean) =>
    `${addresses(many)}${isPublic ? ', public ones among them' : ''}${wide ? ': wider than a /16, you will be asked' : ''}`,
  forecast: ({ addresses: many, confirm, ...cost }: ScanForecast) =>
    cost.connections.most === 0
      ? 'Nothing to call in this pass.'
      : `${addresses(many)}: ${scanCost(cost)}${confirm === null ? '' : '; you will be asked once more'}`,
  sweep: 'Scan',
  /** @param many null where it is not known */
  sweepAnyway: (many: number | null) => `Scan ${many === null ? 'it' : addresses(many)} all the same`,
  stop: 'Stop',

  options: 'Options',
  pass: 'Call',
  passes,
  ports: 'Ports',
  portsHint: '16509 and 16514 are libvirt’s own',
  rate: 'Connections a second',
  ratePlaceholder: 'as usual',
  timeout: 'Wait at most',
  timeoutPlaceholder: 'adapts',
  timeoutUnit: 'ms',

  found: 'What was found',
  tabs: { sweep: 'This scan', known: 'Known so far', suggestions: 'Suggestions', schedules: 'Schedules' },
  progress: ({ cidr, state, probed, total }: Pick<ScanView, 'cidr' | 'state' | 'probed' | 'total'>) => {
    switch (state) {
      case 'running':
        return `${cidr}: ${probed.toLocaleString('en')} of ${addresses(total)} tried`;
      case 'cancelled':
        return `${cidr}: stopped after ${addresses(probed)}; what was found is kept`;
      case 'failed':
        return `${cidr}: failed`;
      case 'completed':
        return `${cidr}: ${addresses(total)} tried`;
      default:
        return state satisfies never;
    }
  },
  connections: (many: number) => `· ${count(many, 'connection', 'connections')}`,
  bar: (cidr: string) => `Scan of ${cidr}`,
  goOn: 'Go on all the same',
  noneKnown: 'No scan has found anything yet',
  noneKnownHint: 'What scans find is kept, and shown here.',
  silent: (cidr: string) => `Nothing answered in ${cidr}`,
  silentHint: (ports: string) => `Is it the right subnet, and does a firewall keep this machine from port ${ports}?`,
  notSwept: 'Nothing was scanned yet',
  notSweptHint:
    'Give the range that your hosts are in. Nothing but a connection to the port is made, and nobody is logged in to.',

  failed: 'What could not be added',
  /** A host's failure, unless it names the host by itself. */
  failure: (address: string, message: string) => (message.includes(address) ? message : `${address}: ${message}`),
  user: (many: number, first: string) => `User for ${many === 1 ? first : 'all of them'}`,
  userPlaceholder: addHost.userPlaceholder,
  keyFile: 'Key file',
  keyFilePlaceholder: 'the agent’s, or the usual ones',
  trust: (many: number) => `I trust ${many === 1 ? 'the fingerprint' : `the ${many} fingerprints`} shown above`,
  trustHint: (many: number) =>
    `From now on only ${many === 1 ? 'this key is accepted from it' : 'these keys are accepted from them'}. On a network that you do not trust, compare with the hosts themselves first.`,
  trustFirst: 'Say first that you trust the fingerprints',
  pickFirst: 'Pick what to add first',
  add: (many: number) => (many === 0 ? 'Add hosts' : `Add ${count(many, 'host', 'hosts')}`),
  added: (many: number) => `${count(many, 'host', 'hosts')} added and connecting.`,
  closeSweeping: 'Close, scan on',
};

export const discoverSchedules = {
  range: 'Range of the schedules',
  hint: 'Scheduled passes are slow on purpose, 200 connections a second, and wait while a host of theirs migrates.',
  keep: 'Keep',
  keepAnyway: 'Keep it all the same',
  unchanged: 'It is kept as it stands',
  oneRuns: 'One is running',
};

export const discoverSuggestions = {
  about: 'From known_hosts, ~/.ssh/config and the IPv6 neighbour table of this machine. Nothing was sent for it.',
  ask: 'Ask the network (mDNS)',
  sweep: (many: number) => `Scan ${addresses(many)}`,
  noAddress: 'None of them has an address beside its name',
  none: 'No host is named on this machine',
  noneHint: 'Hashed names in known_hosts cannot be read. Scan a range instead.',
  noneAnswered: 'Nobody answered on the network either: libvirt announces itself only where mdns_adv is set.',
};
