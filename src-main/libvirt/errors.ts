// What a call can end in, besides its result. A daemon's answer and the lack of one are different things.
import type { ErrorInfo } from './types.ts';

/** Libvirt's error codes that something is decided on, by name. */
export const errorCodes = {
  internal_error: 1,
  no_support: 3,
  invalid_arg: 8,
  operation_failed: 9,
  xml_error: 27,
  dom_exist: 28,
  operation_denied: 29,
  system_error: 38,
  rpc: 39,
  no_domain: 42,
  no_network: 43,
  auth_failed: 45,
  no_storage_pool: 49,
  no_storage_vol: 50,
  operation_invalid: 55,
  config_unsupported: 67,
  operation_timeout: 68,
  migrate_persist_failed: 69,
  invalid_domain_snapshot: 71,
  no_domain_snapshot: 72,
  argument_unsupported: 74,
  operation_aborted: 78,
  auth_cancelled: 79,
  no_domain_metadata: 80,
  migrate_unsafe: 81,
  operation_unsupported: 84,
  agent_unresponsive: 86,
  resource_busy: 87,
  access_denied: 88,
  storage_vol_exist: 90,
  cpu_incompatible: 91,
  xml_invalid_schema: 92,
  migrate_finish_ok: 93,
  auth_unavailable: 94,
  agent_unsynced: 97,
  device_missing: 99,
  no_network_metadata: 111,
  agent_command_timeout: 112,
  agent_command_failed: 113,
} as const;
export type ErrorName = keyof typeof errorCodes;

/** Which part of libvirt an error comes from. */
export const errorDomains = {
  rpc: 7,
  qemu: 10,
  remote: 13,
  storage: 18,
  domain: 20,
  cpu: 31,
  streams: 38,
  dbus: 47,
  ssh: 50,
} as const;

/** The daemon answered, and its answer is an error. */
export class LibvirtError extends Error {
  override readonly name = 'LibvirtError';
  /** Of `errorCodes`, or one not named there. */
  readonly code: number;
  /** Of `errorDomains`, or one not named there. */
  readonly domain: number;
  readonly level: number;
  /** The call that was answered so. */
  readonly procedure: string;
  readonly info: ErrorInfo;

  constructor(procedure: string, info: ErrorInfo) {
    super(info.message ?? `libvirt error ${info.code} in ${info.domain}, without a message`);
    this.procedure = procedure;
    this.code = info.code;
    this.domain = info.domain;
    this.level = info.level;
    this.info = info;
  }

  /** Whether something thrown is such an error, by its code: `LibvirtError.is(error, 'no_domain')`. */
  static is(error: unknown, ...names: ErrorName[]): error is LibvirtError {
    return (
      error instanceof LibvirtError && (names.length === 0 || names.some((name) => errorCodes[name] === error.code))
    );
  }

  /** Whether the daemon is too old, or of the wrong kind, for a call. */
  static isUnsupported(error: unknown): error is LibvirtError {
    return (
      (LibvirtError.is(error, 'rpc') && error.domain === errorDomains.rpc) ||
      LibvirtError.is(error, 'no_support', 'operation_unsupported', 'argument_unsupported')
    );
  }
}

/**
 * The connection ended before the answer came. That is no answer: where `sent`, the daemon may or may not
 * have done what was asked, and only asking again on a fresh connection tells.
 */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
  readonly procedure: string;
  readonly sent: boolean;

  constructor(procedure: string, sent: boolean, cause: Error) {
    super(`${cause.message} (${procedure} was ${sent ? 'sent, and never answered' : 'not sent any more'})`, { cause });
    this.procedure = procedure;
    this.sent = sent;
  }
}

/** No answer within the limit. The daemon may still carry the call out, so read the state again. */
export class CallTimeout extends Error {
  override readonly name = 'CallTimeout';
  readonly procedure: string;
  readonly timeoutMs: number;
  readonly sent: boolean;

  constructor(procedure: string, timeoutMs: number, sent: boolean) {
    super(
      sent
        ? `libvirt has not answered ${procedure} within ${timeoutMs / 1000} s; it may still be carried out`
        : `${procedure} waited ${timeoutMs / 1000} s for other calls to this host to end, and was not sent`,
    );
    this.procedure = procedure;
    this.timeoutMs = timeoutMs;
    this.sent = sent;
  }
}

/** The far end does not speak libvirt's protocol, or is out of step. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** The far end hung up, or gave no sign of life. */
export class PeerGone extends Error {
  override readonly name = 'PeerGone';
}

/** This user may not use the daemon; `cause` is its own word, where it gave one. */
export class AuthFailed extends Error {
  override readonly name = 'AuthFailed';
}
