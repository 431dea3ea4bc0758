// DNS messages as mDNS needs them (RFC 1035, RFC 6762): one question written, answers read. Hostile bytes only end early.

export interface Answer {
  name: string;
  data: { type: 'PTR'; to: string } | { type: 'SRV'; to: string; port: number } | { type: 'address'; address: string };
}

const PTR = 12;
const A = 1;
const AAAA = 28;
const SRV = 33;
/** The question asks to be answered to the asker alone. */
const UNICAST = 0x8000;
const IN = 1;
/** Names hold at most 255 bytes; pointers in them may not go round in circles. */
const MOST_LABELS = 128;
const MOST_RECORDS = 256;

export function question(name: string): Buffer {
  const labels = name.split('.').map((label) => {
    const text = Buffer.from(label);
    return Buffer.concat([Buffer.from([text.length]), text]);
  });
  const header = Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const tail = Buffer.alloc(5); // the root, and what is asked for
  tail.writeUInt16BE(PTR, 1);
  tail.writeUInt16BE(IN | UNICAST, 3);
  return Buffer.concat([header, ...labels, tail]);
}

/** All records of an answer that are of use; what is cut or broken ends it, and what came before counts. */
export function answers(message: Buffer): Answer[] {
  const found: Answer[] = [];
  try {
    if ((message.readUInt16BE(2) & 0x8000) === 0) return []; // a question
    const questions = message.readUInt16BE(4);
    const records = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
    let at = 12;
    for (let n = 0; n < Math.min(questions, MOST_RECORDS); n += 1) at = nameAt(message, at).end + 4;
    for (let n = 0; n < Math.min(records, MOST_RECORDS); n += 1) {
      const { name, end } = nameAt(message, at);
      const type = message.readUInt16BE(end);
      const length = message.readUInt16BE(end + 8);
      const data = end + 10;
      at = data + length;
      if (at > message.length) break;
      if (type === PTR) found.push({ name, data: { type: 'PTR', to: nameAt(message, data).name } });
      else if (type === SRV) {
        const port = message.readUInt16BE(data + 4);
        found.push({ name, data: { type: 'SRV', port, to: nameAt(message, data + 6).name } });
      } else if (type === A && length === 4) {
        found.push({ name, data: { type: 'address', address: message.subarray(data, at).join('.') } });
      } else if (type === AAAA && length === 16) {
        const groups = Array.from({ length: 8 }, (_, group) => message.readUInt16BE(data + 2 * group).toString(16));
        found.push({ name, data: { type: 'address', address: groups.join(':') } });
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return found;
}

function nameAt(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  let end: number | null = null;
  for (let n = 0; n < MOST_LABELS; n += 1) {
    const length = message.readUInt8(at);
    if (length === 0) return { name: labels.join('.'), end: end ?? at + 1 };
    if (length >= 0xc0) {
      end ??= at + 2;
      at = message.readUInt16BE(at) & 0x3fff;
    } else if (length >= 0x40 || at + 1 + length > message.length) throw new RangeError('no label');
    else {
      labels.push(message.toString('utf8', at + 1, at + 1 + length));
      at += 1 + length;
    }
  }
  throw new RangeError('a name without an end');
}
