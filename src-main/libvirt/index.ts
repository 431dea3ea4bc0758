// The libvirt client: what others may use of it.
export { Connection } from './connection.ts';
export type { CallArgs, ConnectionOptions, Direction } from './connection.ts';
export type { CallOptions } from './calls.ts';
export * from './constants.ts';
export { systemClock } from './clock.ts';
export type { Clock } from './clock.ts';
export {
  AuthFailed,
  CallTimeout,
  ConnectionLost,
  errorCodes,
  errorDomains,
  LibvirtError,
  PeerGone,
  ProtocolError,
} from './errors.ts';
export type { ErrorName } from './errors.ts';
export { events } from './events.ts';
export type { EventName, EventOf, EventWrittenOf } from './events.ts';
export { encodePacket, FrameReader, HEADER, PACKET_MAX, packetStatus, packetType } from './frame.ts';
export type { Header, Packet } from './frame.ts';
export { procedureName, procedures } from './procedures.ts';
export type {
  ArgsOf,
  ArgsReadOf,
  CallName,
  ProcedureName,
  ResultOf,
  ResultWrittenOf,
  StreamProcedureName,
} from './procedures.ts';
export { Hole, LibvirtStream, STREAM_CHUNK } from './stream.ts';
export { errorInfo, param, paramRecord, paramValues } from './types.ts';
export type { Dom, DomIn, ErrorInfo, Net, Param, ParamKind, ParamValue, Pool, Snapshot, Vol } from './types.ts';
export { Reader, Writer, XdrError } from './xdr.ts';
export type { AnyCodec, Codec, Read, Written } from './xdr.ts';
export { localSockets, openLocal } from './local.ts';
export type { LocalOptions } from './local.ts';
export { formatPacket, withoutSecrets } from './trace.ts';
