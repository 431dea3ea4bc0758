// Certificates for QEMU on the lab's hosts: an authority of the test's own, and what it issues; by openssl.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Lab } from './lab.ts';
import { run } from './run.ts';

export interface Issued {
  /** As in openssl's subjectAltName: `DNS:kvm2`, `IP:10.0.0.2`. */
  names: string;
  /** It ran out long ago. */
  expired?: boolean;
}

const folder = '/etc/pki/qemu';

export class Authority {
  readonly #dir: string;
  #serial = 0;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  static async make(): Promise<Authority> {
    const dir = await mkdtemp(join(tmpdir(), 'drover-ca-'));
    const made = new Authority(dir);
    await made.#openssl('req', '-x509', ...newKey('ca'), '-days', '30', '-subj', '/CN=lab', '-out', 'ca.pem');
    return made;
  }

  /** Puts the authority's, a server's and a client's certificate on a host, in place of those that are there. */
  async equip(lab: Lab, host: string, issued: Issued): Promise<void> {
    await this.#issue('server', host, issued);
    await this.#issue('client', host, { ...issued, expired: false });
    // Over the machine's own folder, which all hosts share.
    const mount = `mkdir -p ${folder}; mountpoint -q ${folder} || mount -t tmpfs -o mode=755 tmpfs ${folder}`;
    await lab.exec(host, ['sh', '-c', mount]);
    const files = { 'ca-cert.pem': 'ca.pem' } as Record<string, string>;
    for (const kind of ['server', 'client']) {
      files[`${kind}-cert.pem`] = `${kind}.pem`;
      files[`${kind}-key.pem`] = `${kind}.key`;
    }
    for (const [name, file] of Object.entries(files)) {
      const input = await readFile(join(this.#dir, file), 'utf8');
      await lab.exec(host, ['sh', '-c', `cat > ${folder}/${name} && chmod 644 ${folder}/${name}`], { input });
    }
  }

  static async strip(lab: Lab, host: string): Promise<void> {
    await lab.exec(host, ['sh', '-c', `umount ${folder} 2>/dev/null; true`]);
  }

  async remove(): Promise<void> {
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #issue(kind: string, host: string, { names, expired = false }: Issued): Promise<void> {
    await this.#openssl('req', ...newKey(kind), '-subj', `/CN=${host}`, '-out', `${kind}.csr`);
    await writeFile(join(this.#dir, 'names'), `subjectAltName=${names}\n`);
    this.#serial += 1;
    // “openssl x509” knows no date in the past but by “ca”, which wants a folder of its own.
    const dates = expired ? ['-startdate', '20200101000000Z', '-enddate', '20200201000000Z'] : ['-days', '30'];
    const config = `[ca]\ndefault_ca=a\n[a]\ndatabase=${this.#dir}/index\nnew_certs_dir=${this.#dir}\nserial=${this.#dir}/serial\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n`;
    await writeFile(join(this.#dir, 'ca.cnf'), config);
    await writeFile(join(this.#dir, 'index'), '');
    await writeFile(join(this.#dir, 'serial'), `${String(this.#serial).padStart(4, '0')}\n`);
    const sign = ['ca', '-batch', '-notext', '-config', 'ca.cnf', '-cert', 'ca.pem', '-keyfile', 'ca.key'];
    await this.#openssl(...sign, '-extfile', 'names', ...dates, '-in', `${kind}.csr`, '-out', `${kind}.pem`);
  }

  #openssl(...args: string[]): Promise<string> {
    return run(['env', '-C', this.#dir, 'openssl', ...args]);
  }
}

const newKey = (name: string) => [
  ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`],
];
