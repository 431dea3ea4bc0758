// What can be typed in search: `state:running host:kvm3 mem>8G -name:test web`, all of which have to hold.
import { domainStates, type DomainState, type DomainView } from '../../contract/model.ts';
import { search as words } from '../words/search.ts';

/** What a VM is judged by. */
export interface Findable {
  view: DomainView;
  /** Its name in lower case. */
  haystack: string;
  stats: { cpuPercent: number } | null;
}

/** What of its host is looked at, in lower case: its label and its URI, and its group. */
export interface Home {
  haystack: string;
  group: string;
}

export interface Query {
  /** Nothing was asked: everything is found. */
  empty: boolean;
  matches(domain: Findable, home: Home | undefined): boolean;
  /** Whether a host, by itself, is what was looked for. */
  matchesHost(home: Home): boolean;
  /** It asks for figures that change all the time. */
  live: boolean;
  /** What was not understood, a sentence each. */
  hints: string[];
}

type Test = (domain: Findable, home: Home | undefined) => boolean;

interface Term {
  not: boolean;
  key: string | null;
  operator: ':' | '>' | '<';
  value: string;
}

const keys = ['state', 'host', 'group', 'tag', 'name', 'uuid', 'is', 'mem', 'vcpus', 'cpu'] as const;
type Key = (typeof keys)[number];

const traits: Record<string, (domain: DomainView) => boolean> = {
  migrating: (domain) => domain.job !== null,
  persistent: (domain) => domain.persistent,
  transient: (domain) => !domain.persistent,
  autostart: (domain) => domain.autostart,
  stale: (domain) => domain.stale,
  tagged: (domain) => domain.tags.length > 0,
};

/** Words that people use for libvirt's. */
const otherStates: Record<string, DomainState> = {
  stopped: 'shutoff',
  off: 'shutoff',
  on: 'running',
  suspended: 'paused',
};

/** Parts at white space, but not inside quotes: `host:"rack 3" web`. */
export function split(text: string): Term[] {
  return (text.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []).map((part) => {
    const [, not, key, operator, value = ''] = /^(-?)(?:([a-z]+)([:<>]))?(.*)$/is.exec(part) ?? [];
    return {
      not: not === '-',
      key: key?.toLowerCase() ?? null,
      operator: (operator ?? ':') as Term['operator'],
      value: value.replaceAll('"', '').toLowerCase(),
    };
  });
}

export function parse(text: string): Query {
  const hints: string[] = [];
  const tests: Test[] = [];
  const hostTests: ((home: Home) => boolean)[] = [];
  const terms = split(text);
  for (const term of terms) {
    const test = testOf(term, hints);
    if (!test) continue;
    tests.push(term.not ? (domain, home) => !test(domain, home) : test);
    hostTests.push(hostTestOf(term));
  }
  return {
    empty: tests.length === 0,
    matches: (domain, home) => tests.every((test) => test(domain, home)),
    matchesHost: (home) => hostTests.every((test) => test(home)),
    live: terms.some(({ key }) => key === 'cpu'),
    hints,
  };
}

const inHost = (home: Home, value: string) => home.haystack.includes(value);
const inGroup = (home: Home, any: readonly string[]) => any.some((one) => home.group.includes(one));

function hostTestOf({ key, value, not }: Term): (home: Home) => boolean {
  if (key === 'group') return (home) => inGroup(home, list(value)) !== not;
  if (key !== null && key !== 'host') return () => false;
  return (home) => (inHost(home, value) || (key === null && home.group.includes(value))) !== not;
}

const list = (value: string) => value.split(',').filter(Boolean);

/** A tag as it is called, or its beginning before a `*`. */
const tagTest = (wanted: string) => {
  const start = wanted.endsWith('*') ? wanted.slice(0, -1) : null;
  return (tag: string) => {
    const lower = tag.toLowerCase();
    return start === null ? lower === wanted : lower.startsWith(start);
  };
};

/** Null while there is nothing to look for yet, e.g. `state:` half typed. */
function testOf(term: Term, hints: string[]): Test | null {
  const { key, operator, value } = term;
  if (key === null) {
    return value === ''
      ? null
      : ({ haystack, view }, home) =>
          haystack.includes(value) ||
          view.uuid.startsWith(value) ||
          (home !== undefined && (inHost(home, value) || home.group.includes(value))) ||
          view.tags.some((tag) => tag.toLowerCase().includes(value));
  }
  if (!isKey(key)) {
    hints.push(words.noKey(key, keys));
    return null;
  }
  if (value === '') return null;
  const any = list(value);
  switch (key) {
    case 'state':
      return stateTest(any, hints);
    case 'host':
      return (_, home) => home !== undefined && any.some((one) => inHost(home, one));
    case 'group':
      return (_, home) => home !== undefined && inGroup(home, any);
    case 'tag': {
      const tests = any.map(tagTest);
      return ({ view }) => view.tags.some((tag) => tests.some((test) => test(tag)));
    }
    case 'name':
      return ({ haystack }) => any.some((one) => haystack.includes(one));
    case 'uuid':
      return ({ view }) => any.some((one) => view.uuid.startsWith(one));
    case 'is':
      return traitTest(any, hints);
    case 'mem':
      return numberTest(operator, mebibytes(value), words.noSize(value), ({ view }) => view.memoryKiB / 1024, hints);
    case 'vcpus':
      return numberTest(operator, plainNumber(value), words.noNumber(value), ({ view }) => view.vcpus, hints);
    case 'cpu':
      return numberTest(
        operator,
        plainNumber(value.replace(/%$/, '')),
        words.noPercentage(value),
        ({ stats }) => stats?.cpuPercent ?? 0,
        hints,
      );
    default:
      return key satisfies never;
  }
}

const isKey = (key: string): key is Key => (keys as readonly string[]).includes(key);

function stateTest(any: string[], hints: string[]): Test {
  const wanted = new Set<DomainState>();
  for (const one of any) {
    const states = domainStates.filter((state) => state.startsWith(one));
    const other = Object.entries(otherStates).find(
      ([word]) => word === one || (one.length > 2 && word.startsWith(one)),
    );
    // What is typed in full is that state alone: `shut` is shutdown and shutoff, `shutoff` is not.
    const exact = domainStates.find((state) => state === one);
    if (exact) wanted.add(exact);
    else if (other) wanted.add(other[1]);
    else if (states.length > 0) for (const state of states) wanted.add(state);
    else hints.push(words.noState(one, domainStates));
  }
  return ({ view }) => wanted.has(view.state);
}

function traitTest(any: string[], hints: string[]): Test {
  const wanted = any.flatMap((one) => {
    const found = Object.entries(traits).filter(([word]) => word.startsWith(one));
    if (found.length === 0) hints.push(words.noTrait(one, Object.keys(traits)));
    return found.map(([, test]) => test);
  });
  return ({ view }) => wanted.some((test) => test(view));
}

function numberTest(
  operator: Term['operator'],
  limit: number | null,
  hint: string,
  of: (domain: Findable) => number,
  hints: string[],
): Test | null {
  if (limit === null) {
    hints.push(hint);
    return null;
  }
  switch (operator) {
    case '>':
      return (domain) => of(domain) > limit;
    case '<':
      return (domain) => of(domain) < limit;
    case ':':
      return (domain) => Math.abs(of(domain) - limit) < 0.5;
    default:
      return operator satisfies never;
  }
}

const plainNumber = (text: string) => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : null);

/** `512`, `512M`, `8G`, `8GiB`, `1.5t`: in MiB. */
function mebibytes(text: string): number | null {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([kmgt]?)(?:i?b)?$/.exec(text) ?? [];
  if (number === undefined) return null;
  const scale = { k: 1 / 1024, m: 1, g: 1024, t: 1024 ** 2, '': 1 }[unit ?? ''];
  return Number(number) * (scale ?? 1);
}
