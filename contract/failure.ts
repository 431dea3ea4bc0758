// An error in its travelling form: what every door of Drover answers when something failed.

/** The codes of the automation API, each with the HTTP status it travels under. */
export const statusOf = {
  'bad-request': 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  refused: 422,
  'untrusted-host-key': 423,
  'auth-failed': 424,
  unreachable: 502,
  libvirt: 502,
  timeout: 504,
  unsupported: 501,
  internal: 500,
} as const;

export type FailureCode = keyof typeof statusOf;

/** Plain data: survives JSON, msgpack and structured clone alike. */
export interface Err {
  code: FailureCode;
  /** One sentence: what failed, on which host, and what can be done. */
  message: string;
  /** `number` and `domain` are libvirt's own codes; `fingerprint`, `checks` as the API says. */
  detail?: Record<string, unknown>;
}

/** Thrown wherever the sentence for the admin is known; carried to the caller as `Err`. */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly detail: Record<string, unknown> | undefined;

  constructor(code: FailureCode, message: string, detail?: Record<string, unknown>) {
    super(message);
    this.name = 'Failure';
    this.code = code;
    this.detail = detail;
  }
}

/** Any thrown value in its travelling form. What is no Failure is a bug of ours: `internal`. */
export function toErr(thrown: unknown): Err {
  if (thrown instanceof Failure) {
    return thrown.detail === undefined
      ? { code: thrown.code, message: thrown.message }
      : { code: thrown.code, message: thrown.message, detail: thrown.detail };
  }
  const said = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: 'internal', message: `Drover met an error of its own: ${said.replace(/[.\s]+$/, '')}.` };
}
