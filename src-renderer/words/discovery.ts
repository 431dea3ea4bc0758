// Finding hosts: the range to sweep, what answered there, passes that go by themselves, and suggestions.
import type { Found, ScanPass, Suggestion } from '../../contract/model.ts';
import { count, moment } from './format.ts';

/** Why what was found cannot be added. */
export const adoptable = {
  known: 'It is among the hosts already.',
  silent: 'It did not answer.',
  noSsh: 'What answers there is no SSH server.',
  noKey: 'Its host key could not be read.',
};

const kinds: Record<Found['kind'], string> = { libvirt: 'libvirt', ssh: 'SSH', open: 'no SSH', silent: 'silent' };

export const foundList = {
  all: 'All that can be added',
  add: (place: string) => `Add ${place}`,
  address: 'Address',
  kind: 'Kind',
  server: 'Server',
  fingerprint: 'Fingerprint',
  kinds,
  /** Ports of libvirt's own that answer. */
  services: { 'libvirt-tcp': 'libvirt’s port, plain TCP', 'libvirt-tls': 'libvirt’s port, TLS' },
  version: (libvirt: string, domains: number | undefined) =>
    domains === undefined ? libvirt : `${libvirt}, ${count(domains, 'VM', 'VMs')}`,
  known: (host: string) => `Already added as ${host}`,
  moved: (from: string) => `was ${from}`,
};

export const rangeMap = {
  label: (range: string, legend: readonly string[]) => `Map of ${range}: ${legend.join(', ')}`,
  libvirt: 'libvirt host',
  ssh: 'SSH',
  open: 'open port, no SSH',
  closed: 'there, port closed',
  tried: 'no answer',
  partly: 'partly tried',
  /** While it runs, and once it is over. */
  later: 'not tried yet',
  never: 'not asked',
  wide: 'each cell stands for several addresses',
};

const passes: Record<ScanPass, { name: string; about: string }> = {
  full: { name: 'Everything in the range', about: 'Calls every address.' },
  silent: { name: 'Only what never answered', about: 'Finds new hosts without calling the others.' },
  'non-libvirt': { name: 'Only what had no libvirt', about: 'Finds hosts that got it.' },
  known: { name: 'Known libvirt hosts: still there?', about: 'Calls only these, wherever they are.' },
};

const spans: Readonly<Record<number, string>> = {
  15: '15 minutes',
  60: 'hour',
  360: '6 hours',
  1440: 'day',
  10080: 'week',
};

export const scheduleList = {
  label: 'Schedules',
  passes,
  every: (minutes: number) => `every ${spans[minutes] ?? `${minutes} minutes`}`,
  howOften: (pass: string) => `How often: ${pass}`,
  next: (at: string) => `next ${moment(at)}`,
  last: (at: string | null) => (at ? `last ${moment(at)}` : 'never ran'),
  noRange: 'Give the schedules a range first',
  run: 'Run now',
  runPass: (pass: string) => `Run now: ${pass}`,
};

const sources: Record<Suggestion['from'][number], string> = {
  known_hosts: 'known_hosts',
  ssh_config: 'ssh config',
  'neighbour table': 'neighbour',
  mDNS: 'announces libvirt',
};

export const suggestionList = {
  label: 'Suggestions',
  sources,
  port: (port: number) => `port ${port}`,
  add: 'Add…',
  addHost: (name: string) => `Add ${name}`,
};

/** What is wrong with a range as it is typed. */
export const scanRange = {
  dashes: (entry: string) => `“${entry}” has more than one dash.`,
  noRange: (entry: string) => `“${entry}” is no range: write it as 10.0.0.5-10.0.0.20.`,
  mixed: (entry: string) => `“${entry}” mixes IPv4 and IPv6.`,
  upsideDown: (entry: string, from: string, to: string) => `“${entry}” is upside down: ${to} comes before ${from}.`,
  noPrefix: (prefix: string, bits: number) => `“/${prefix}” is no prefix length: it goes from /0 to /${bits}.`,
  unfinished: (entry: string) => `“${entry}” is not finished: a subnet looks like 192.168.1.0/24.`,
  leadingZero: (base: string) => `“${base}” has a number with a leading zero, which some read as octal.`,
  noAddress: (entry: string) => `“${entry}” is no address or subnet: write it as 192.168.1.0/24.`,
};
