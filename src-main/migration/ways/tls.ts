// Whether hosts have the certificates by which QEMU encrypts a migration's way.
import type { Check } from '../../../contract/model.ts';
import type { Host } from '../../fleet/host.ts';
import { quote } from '../virsh.ts';

/** Where QEMU's certificates are if its configuration, which only root reads, names no other folder. */
const usual = '/etc/pki/qemu';
const configured = '/etc/libvirt/qemu.conf';

/** One for each host. Never rejects. */
export function checkTls(source: Host, target: Host): Promise<Check[]> {
  return Promise.all([checkHost(source), checkHost(target)]);
}

async function checkHost(host: Host): Promise<Check> {
  const named = `sed -n 's/^ *\\(migrate\\|default\\)_tls_x509_cert_dir *= *"\\(.*\\)".*/\\2/p' ${configured} 2>/dev/null`;
  const ask = `test -r ${configured} && echo root; for dir in $(${named}) ${quote(usual)}; do test -e "$dir/ca-cert.pem" && echo "in $dir"; done; true`;
  const ran = await host.shell(ask);
  const folder = /^in (.*)$/m.exec(ran?.stdout ?? '')?.[1];
  if (folder !== undefined) {
    return { id: 'tls', level: 'ok', message: `${host.label} has certificates for QEMU in ${folder}.` };
  }
  const fix = `Put ca-cert.pem, server-cert.pem, server-key.pem and the client’s two into ${usual} on both hosts; or leave TLS out: “tunnelled” and “relay” are encrypted by SSH.`;
  if (ran?.code !== 0 || !/^root$/m.test(ran.stdout)) {
    const message = `Whether ${host.label} has certificates for QEMU is not known: none are in ${usual}, and its configuration is for root only.`;
    return { id: 'tls', level: 'warn', message, fix };
  }
  return {
    id: 'tls',
    level: 'error',
    message: `${host.label} has no certificates for QEMU (no ca-cert.pem in ${usual}), so it can encrypt no migration by TLS.`,
    fix,
  };
}
