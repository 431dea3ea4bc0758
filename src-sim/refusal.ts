// The error answers of a daemon, with libvirt's numbers and its way of saying things.
import { errorCodes, errorDomains } from '../src-main/libvirt/index.ts';
import type { ErrorName } from '../src-main/libvirt/index.ts';

/** Thrown by what carries a call out: its answer is an error. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: number;
  readonly domain: number;

  constructor(code: number, domain: number, message: string) {
    super(message);
    this.code = code;
    this.domain = domain;
  }
}

const from = (domain: number) => (code: ErrorName, message: string) => new Refusal(errorCodes[code], domain, message);

/** Refusals by the part of libvirt that they come from. */
export const refuse = {
  qemu: from(errorDomains.qemu),
  rpc: from(errorDomains.rpc),
  storage: from(errorDomains.storage),
  network: from(19),
  xml: from(5),
  domain: from(errorDomains.domain),
  cpu: from(errorDomains.cpu),
  none: from(0),
  /** XML that is not well-formed. */
  malformed: (message: string) => new Refusal(35, errorDomains.domain, message),
  badSnapshot: (message: string) => new Refusal(35, errorDomains.qemu, message),
  noName: () => new Refusal(21, errorDomains.domain, 'missing name information in domain definition'),
  noDomain: (what: string) => new Refusal(errorCodes.no_domain, errorDomains.qemu, `Domain not found: ${what}`),
  notRunning: () => refuse.domain('operation_invalid', 'Requested operation is not valid: domain is not running'),
};
