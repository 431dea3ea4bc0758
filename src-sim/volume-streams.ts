// A volume that is downloaded or uploaded: a few words stand for what is in it, and the rest of it is a hole, which
// takes as long on its way as the bytes that it stands for would.
import { packetStatus } from '../src-main/libvirt/index.ts';
import type { Client } from './client.ts';
import type { SimHost } from './host.ts';
import type { File } from './storage.ts';

/** The hole comes in so many. */
const PIECES = 20;

/** @param sparse Holes are told as such; else only the words come. */
export function download(client: Client, serial: number, host: SimHost, file: File, sparse: boolean): void {
  let over = false;
  const end = () => void (over = true);
  const finish = () => {
    end();
    client.streamEnd(serial, packetStatus.ok);
  };
  client.openStream(serial, { data: () => {}, takes: () => true, finish, lost: end }, 'storage_vol_download');
  const { clock } = host.fleet;
  const words = Buffer.from(file.holds);
  const send = async () => {
    if (words.length > 0) client.streamData(serial, words);
    const left = file.capacity - words.length;
    for (let piece = 0; piece < PIECES && !over && sparse; piece++) {
      await clock.sleep((file.allocation / PIECES / host.linkBps) * 1000);
      const from = Math.floor((left * piece) / PIECES);
      if (!over) client.streamHole(serial, Math.floor((left * (piece + 1)) / PIECES) - from);
    }
    if (!over) client.streamData(serial, Buffer.alloc(0));
  };
  // Not in one piece with the answer that opens it.
  void clock.sleep(1).then(send);
}

export function upload(client: Client, serial: number, file: File): void {
  let words = '';
  const end = {
    data: (bytes: Buffer) => void (words += bytes.toString()),
    hole: () => {},
    takes: () => true,
    finish: () => {
      file.holds = words;
      client.streamEnd(serial, packetStatus.ok);
    },
    lost: () => {},
  };
  client.openStream(serial, end, 'storage_vol_upload');
}
