// Errors of SSH and libvirt, told to an admin: one sentence, the API's code, and what it means for the host.
import { Failure, type FailureCode } from '../../contract/failure.ts';
import type { HostState } from '../../contract/model.ts';
import { AuthFailed, CallTimeout, ConnectionLost, LibvirtError, PeerGone, ProtocolError } from '../libvirt/index.ts';
import { SshError, type SshErrorKind } from '../ssh/index.ts';

const ofSsh: Record<SshErrorKind, [HostState, FailureCode]> = {
  misconfigured: ['unreachable', 'unreachable'],
  unresolved: ['unreachable', 'unreachable'],
  refused: ['unreachable', 'unreachable'],
  unreachable: ['unreachable', 'unreachable'],
  timeout: ['unreachable', 'timeout'],
  'not-ssh': ['unreachable', 'unreachable'],
  'no-key-exchange': ['unreachable', 'unreachable'],
  lost: ['unreachable', 'unreachable'],
  'channel-refused': ['unreachable', 'unreachable'],
  untrusted: ['untrusted', 'untrusted-host-key'],
  changed: ['untrusted', 'untrusted-host-key'],
  revoked: ['untrusted', 'untrusted-host-key'],
  'auth-failed': ['auth-failed', 'auth-failed'],
  cancelled: ['auth-failed', 'auth-failed'],
  'no-permission': ['auth-failed', 'auth-failed'],
  'no-libvirt': ['not-libvirt', 'unreachable'],
};

/** libvirt's own codes that speak of who may, not of what went wrong. */
const logins = new Set([45, 79, 94]);

/** A sentence ends with a full stop, whoever wrote it. */
const sentence = (said: string) => (/[.!?]$/.test(said.trim()) ? said.trim() : `${said.trim()}.`);

/**
 * @param host What the admin calls it.
 * @param doing What was being done, as in “starting web01”.
 */
export function explain(thrown: unknown, host: string, doing: string): Failure {
  const error = told(thrown);
  if (error instanceof Failure) return error;
  if (error instanceof SshError) {
    const [, code] = ofSsh[error.kind];
    return new Failure(code, sentence(error.message), {
      cause: error.kind,
      ...(error.hostKey && { fingerprint: error.hostKey.fingerprint, algorithm: error.hostKey.algorithm }),
    });
  }
  if (error instanceof LibvirtError) {
    const detail = { number: error.code, domain: error.domain };
    return new Failure(codeOf(error), sentence(`${host}, ${doing}: libvirt says “${error.message}”`), detail);
  }
  if (error instanceof CallTimeout) {
    return new Failure(
      'timeout',
      `${host} did not answer in time, ${doing}. What was asked may still happen; look at the VM's state before you try again.`,
    );
  }
  if (error instanceof AuthFailed) {
    return new Failure(
      'auth-failed',
      sentence(
        `${host} lets you log in, but not use libvirt: ${error.message} A polkit rule that allows org.libvirt.unix.manage helps, too`,
      ),
    );
  }
  if (error instanceof ConnectionLost && !error.sent) {
    return new Failure(
      'unreachable',
      `The connection to ${host} was lost before ${doing}. Nothing was done; try again when the host is back.`,
    );
  }
  if (error instanceof ConnectionLost || error instanceof PeerGone) {
    return new Failure(
      'unreachable',
      `The connection to ${host} was lost, ${doing}. Whether it was done is not known; Drover reads it again when the host is back.`,
    );
  }
  if (error instanceof ProtocolError) {
    return new Failure(
      'unreachable',
      sentence(`${host} does not speak libvirt's protocol as it should, ${doing}: ${error.message}`),
    );
  }
  if (error instanceof Error && error.name === 'AbortError')
    return new Failure('unreachable', `${host}: ${doing} was called off.`);
  const said = error instanceof Error ? error.message : String(error);
  return new Failure('internal', sentence(`${host}, ${doing}: ${said}`));
}

/** Why a host is not connected, or no longer: nothing was being done there that could be in doubt. */
export function explainAbsence(thrown: unknown, host: string): Failure {
  let error = thrown;
  if (error instanceof ConnectionLost && error.cause instanceof Error) error = error.cause;
  error = told(error);
  if (error instanceof CallTimeout) {
    return new Failure('timeout', `libvirt on ${host} did not answer in time. Drover tries again by itself.`);
  }
  if (error instanceof PeerGone) {
    return new Failure(
      'unreachable',
      `The connection to libvirt on ${host} ended: ${sentence(error.message)} Drover connects again by itself.`,
    );
  }
  return explain(error, host, 'connecting');
}

/** A tunnel's own word of why it broke says more than that the connection did. */
function told(error: unknown): unknown {
  return error instanceof PeerGone && error.cause instanceof SshError ? error.cause : error;
}

function codeOf(error: LibvirtError): FailureCode {
  // No such domain, network, pool, volume.
  if ([42, 43, 49, 50].includes(error.code)) return 'not-found';
  return 'libvirt';
}

/** What a failed attempt to connect makes of the host. */
export function stateAfter(thrown: unknown): HostState {
  const error = told(thrown instanceof ConnectionLost ? thrown.cause : thrown);
  if (error instanceof SshError) return ofSsh[error.kind][0];
  if (error instanceof LibvirtError) return logins.has(error.code) ? 'auth-failed' : 'not-libvirt';
  if (error instanceof AuthFailed) return 'auth-failed';
  if (error instanceof ProtocolError) return 'not-libvirt';
  return 'unreachable';
}
