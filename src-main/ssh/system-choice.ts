// Whether a host needs the system's own ssh: what ssh would use for it and ssh2 does not know.
import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { HostConfig } from './config.ts';
import { keyType } from './host-key.ts';
import { expandHome, isLockedBeyond, publicBlob } from './identities.ts';
import type { KeysOfHost } from './known-hosts.ts';
import { Fields, Packets, uint32 } from './mux.ts';
import type { SshTarget } from './options.ts';

const usual = ['id_rsa', 'id_ecdsa', 'id_ecdsa_sk', 'id_ed25519', 'id_ed25519_sk'];
const agentAnswersMs = 2000;
const ticketKnownMs = 30_000;

export interface ChoiceSources {
  target: SshTarget;
  config: HostConfig | null;
  known: KeysOfHost;
  /** The agent's socket. */
  agent: string | null;
  home: string;
}

/** What asks for the system's ssh, as the part of a sentence; null: nothing does. */
export async function whySystem({ target, config, known, agent, home }: ChoiceSources): Promise<string | null> {
  if (target.system) return 'command=ssh in the URI';
  if ((config?.certificateFiles?.length ?? 0) > 0) return 'CertificateFile';
  const [option] = config?.onlySsh ?? [];
  if (option !== undefined) return option;
  if (known.byAuthority) return '@cert-authority in known_hosts';
  const paths = target.keyFiles ?? config?.identityFiles ?? usual.map((name) => join(home, '.ssh', name));
  for (const found of await Promise.all(paths.map((path) => ofFile(expandHome(path, home))))) if (found) return found;
  if (agent !== null && !(config?.identitiesOnly ?? false)) {
    const types = await agentTypes(agent);
    if (types.some((type) => type.includes('-cert-'))) return 'a certificate in the agent';
    if (types.some((type) => type.startsWith('sk-'))) return 'a FIDO key in the agent';
  }
  if (config?.gssapi && (await hasTicket())) return 'a Kerberos ticket';
  return null;
}

/** A certificate that lies beside a key is offered by ssh of its own accord. */
async function ofFile(path: string): Promise<string | null> {
  const there = (name: string) =>
    stat(name).then(
      (found) => found.isFile() && found.size < 1 << 20,
      () => false,
    );
  if (await there(`${path}-cert.pub`)) return `the certificate ${path}-cert.pub`;
  if (!(await there(path))) return null;
  const text = await readFile(path, 'utf8').catch(() => '');
  const type = text.startsWith('sk-') ? text : keyType(publicBlob(text) ?? Buffer.alloc(0));
  if (isLockedBeyond(text)) return `the cipher that ${path} is locked with`;
  return type.startsWith('sk-') ? `the FIDO key ${path}` : null;
}

/** The types of the keys that an agent holds; none where it does not answer. */
export function agentTypes(path: string): Promise<string[]> {
  return new Promise((resolve) => {
    const packets = new Packets();
    const socket = connect(path);
    const end = (types: string[]) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(types);
    };
    const timer = setTimeout(() => end([]), agentAnswersMs);
    socket.on('error', () => end([]));
    socket.on('close', () => end([]));
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const packet of packets.feed(chunk)) end(identities(packet));
      } catch {
        end([]);
      }
    });
    socket.write(Buffer.concat([uint32(1), Buffer.from([11])])); // SSH_AGENTC_REQUEST_IDENTITIES
  });
}

/** @throws RangeError for an answer that is cut */
function identities(packet: Buffer): string[] {
  const fields = new Fields(packet);
  if (fields.byte() !== 12) return []; // SSH_AGENT_IDENTITIES_ANSWER
  const types: string[] = [];
  for (let left = fields.uint32(); left > 0; left -= 1) {
    types.push(keyType(fields.bytes()));
    fields.bytes(); // its comment
  }
  return types;
}

let ticket: { at: number; there: Promise<boolean> } | null = null;

/** Debian asks for Kerberos everywhere; it is only meant where there is a ticket. */
function hasTicket(): Promise<boolean> {
  const now = performance.now();
  if (!ticket || now - ticket.at > ticketKnownMs) {
    const there = new Promise<boolean>((resolve) => {
      execFile('klist', ['-s'], { timeout: agentAnswersMs }, (error) => resolve(error === null));
    });
    ticket = { at: now, there };
  }
  return ticket.there;
}

/** From 8.5 on ssh hands over the host's key (KnownHostsCommand), and begins the host's own prompts with `(user@host)`. */
const tellsKeysFrom = 8.5;
const versions = new Map<string, Promise<number | null>>();

/** OpenSSH's version as a number, e.g. 9.2; null where there is no such program. */
export function versionOf(program: string): Promise<number | null> {
  const held = versions.get(program);
  if (held) return held;
  const asked = new Promise<number | null>((resolve) => {
    execFile(program, ['-V'], { timeout: agentAnswersMs }, (error, _stdout, said) => {
      resolve(error ? null : Number(/OpenSSH\D*?(\d+\.\d+)/.exec(said)?.[1] ?? 0));
    });
  });
  versions.set(program, asked);
  return asked;
}

export const tellsKeys = (version: number) => version >= tellsKeysFrom;
