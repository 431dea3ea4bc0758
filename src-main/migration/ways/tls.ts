// Whether hosts have the certificates by which QEMU encrypts a migration's way, and whether these will do: still good,
// issued by an authority that the other side knows, and for the name by which the source goes to the target.
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { Check } from '../../../contract/model.ts';
import type { Host } from '../../fleet/host.ts';
import { error, ok, warn } from '../preflight/say.ts';

/** Where they are if QEMU's configuration, which only root reads, names no other folder; the first that is there. */
const usual = ['/etc/pki/libvirt-migrate', '/etc/pki/qemu'];
const configured = '/etc/libvirt/qemu.conf';

export interface Tls {
  checks: Check[];
  /** The name that the target's certificate is for, where that is another than the address which the memory goes to. */
  destination: string | null;
}

/** What a host has; null where it has none, undefined where it does not tell. */
type Papers = {
  folder: string;
  authority: X509Certificate[];
  /** Its own first, then those of authorities in between. */
  server: X509Certificate[];
  client: X509Certificate[];
};

/** @param address Where the memory is sent to, if that is known. Never rejects. */
export async function checkTls(source: Host, target: Host, address: string | null): Promise<Tls> {
  const [here, there] = await Promise.all([papersOf(source), papersOf(target)]);
  const checks = [presence(source, here), presence(target, there)];
  if (!here || !there) return { checks, destination: null };
  const faults = [
    ...fault(target, 'server', there.server, source, here),
    ...fault(source, 'client', here.client, target, there),
  ];
  const [server] = there.server;
  const named = nameFor(target, address, server);
  if (named === undefined && server) {
    const names = server.subjectAltName ?? server.subject.replaceAll('\n', ', ');
    const message = `The certificate of ${target.label} (server-cert.pem) is for ${names}, and not for ${candidates(target, address).join(' or ')}.`;
    faults.push(error('tls', message, `Have one issued that names ${target.info?.hostname ?? target.label}.`));
  }
  return { checks: faults.length > 0 ? faults : checks, destination: named ?? null };
}

const fixMissing = `Put ca-cert.pem, server-cert.pem, server-key.pem and the client’s two into ${usual[1] ?? ''} on both hosts; or leave TLS out: “tunnelled” and “relay” are encrypted by SSH.`;

function presence(host: Host, papers: Papers | null | undefined): Check {
  if (papers) return ok('tls', `${host.label} has certificates for QEMU in ${papers.folder}.`);
  if (papers === null) {
    const message = `${host.label} has no certificates for QEMU (no ca-cert.pem in ${usual.join(' or ')}), so it can encrypt no migration by TLS.`;
    return error('tls', message, fixMissing);
  }
  const message = `Whether ${host.label} has certificates for QEMU is not known: its configuration, or they themselves, are for root only.`;
  return warn('tls', message, fixMissing);
}

/** What is wrong with a certificate, as the other side will see it. */
function fault(
  of: Host,
  kind: 'server' | 'client',
  [one, ...between]: readonly X509Certificate[],
  by: Host,
  { authority }: Papers,
): Check[] {
  const file = `${kind}-cert.pem`;
  if (!one) {
    // Whether the target asks the source for one is its configuration's business.
    const message = `${of.label} has no ${file} for QEMU.`;
    return [kind === 'server' ? error('tls', message, fixMissing) : warn('tls', message, fixMissing)];
  }
  const now = Date.now();
  const [from, to] = [new Date(one.validFrom), new Date(one.validTo)];
  const day = (date: Date) => date.toISOString().slice(0, 10);
  if (to.getTime() < now) {
    return [error('tls', `The certificate of ${of.label} (${file}) ran out on ${day(to)}.`, 'Have a new one issued.')];
  }
  if (from.getTime() > now) {
    return [
      error(
        'tls',
        `The certificate of ${of.label} (${file}) is good only from ${day(from)} on.`,
        'Are the clocks right?',
      ),
    ];
  }
  if (leadsTo(authority, one, between)) return [];
  const message = `The certificate of ${of.label} (${file}) was not issued by the authority that ${by.label} knows (ca-cert.pem).`;
  return [error('tls', message, 'Both hosts need certificates of one authority.')];
}

const issued = (one: X509Certificate, by: X509Certificate) => one.checkIssued(by) && one.verify(by.publicKey);

/** Straight, or by way of authorities in between. */
function leadsTo(
  authority: readonly X509Certificate[],
  one: X509Certificate,
  between: readonly X509Certificate[],
): boolean {
  if (authority.some((ca) => issued(one, ca))) return true;
  const by = between.find((other) => issued(one, other));
  return (
    by !== undefined &&
    leadsTo(
      authority,
      by,
      between.filter((other) => other !== by),
    )
  );
}

/** By what name the source may go to the target: each was told by the admin or by the target itself, over SSH. */
function candidates(target: Host, address: string | null): string[] {
  const names = [address, target.address, target.uri.host, target.info?.hostname ?? null];
  return [...new Set(names.filter((name) => name !== null))];
}

/** @returns null: for the address itself, so nothing needs to be said; undefined: for none that is known */
function nameFor(target: Host, address: string | null, server: X509Certificate | undefined): string | null | undefined {
  if (!server) return null;
  const fits = (name: string) => (isIP(name) ? server.checkIP(name) : server.checkHost(name)) !== undefined;
  const found = candidates(target, address).find(fits);
  return found === address ? null : found;
}

async function papersOf(host: Host): Promise<Papers | null | undefined> {
  const named = (kind: string) =>
    `$(sed -n 's/^ *${kind}_tls_x509_cert_dir *= *"\\(.*\\)".*/\\1/p' ${configured} 2>/dev/null)`;
  const folders = `${named('migrate')} ${usual[0] ?? ''} ${named('default')} ${usual[1] ?? ''}`;
  const files = ['ca', 'server', 'client'].map((kind) => `echo "== ${kind}"; cat "$dir/${kind}-cert.pem" 2>/dev/null`);
  const ask = `test -r ${configured} && echo root; for dir in ${folders}; do if test -e "$dir/ca-cert.pem"; then echo "in $dir"; ${files.join('; ')}; break; fi; done; true`;
  const ran = await host.shell(ask);
  const said = ran?.code === 0 ? ran.stdout : '';
  const folder = /^in (.*)$/m.exec(said)?.[1];
  if (folder === undefined) return /^root$/m.test(said) ? null : undefined;
  const of = (kind: string) =>
    certificates(new RegExp(`^== ${kind}$([^]*?)(?=^== |(?![^]))`, 'm').exec(said)?.[1] ?? '');
  const authority = of('ca');
  if (authority.length === 0) return undefined;
  return { folder, authority, server: of('server'), client: of('client') };
}

function certificates(text: string): X509Certificate[] {
  const found = text.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  try {
    return found.map((pem) => new X509Certificate(pem));
  } catch {
    return [];
  }
}
