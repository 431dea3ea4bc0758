// Opening a connection, what the daemon supports, and what it says of itself.
import { capabilitiesXml, domainCapabilitiesXml } from '../capabilities.ts';
import { baselineCpu, compareCpu } from '../processor.ts';
import { refuse } from '../refusal.ts';
import type { Handlers } from './handlers.ts';

/** As QEMU's driver of libvirt 9 answers; the rest is 0. */
const supported = new Set([3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
const READ_ONLY = 1;

export const connection: Handlers = {
  auth_list: () => ({ types: [0] }),
  auth_polkit: () => {
    throw refuse.rpc('internal_error', 'internal error: client tried invalid polkit init request');
  },
  connect_open: ({ name, flags }, { client }) => {
    if (client.opened) throw refuse.rpc('internal_error', 'internal error: connection already open');
    if (name !== 'qemu:///system') throw refuse.none('no_support', `no connection driver available for ${name ?? ''}`);
    client.opened = { uri: name, readOnly: (flags & READ_ONLY) !== 0 };
    return {};
  },
  connect_close: () => ({}),
  connect_supports_feature: ({ feature }, { client }) => {
    if (feature === 10) client.startKeepalive();
    return { supported: supported.has(feature) ? 1 : 0 };
  },
  connect_get_type: () => ({ type: 'QEMU' }),
  connect_get_version: (_args, { daemon }) => ({ version: daemon.host.spec.qemu }),
  connect_get_lib_version: (_args, { daemon }) => ({ version: daemon.host.spec.libvirt }),
  connect_get_hostname: (_args, { daemon }) => ({ hostname: daemon.host.name }),
  connect_get_uri: () => ({ uri: 'qemu:///system' }),
  connect_get_sysinfo: (_args, { daemon }) => ({
    xml: `<sysinfo type='smbios'>\n  <system>\n    <entry name='manufacturer'>Drover</entry>\n    <entry name='product'>Simulated host</entry>\n    <entry name='uuid'>${daemon.host.uuid}</entry>\n  </system>\n</sysinfo>\n`,
  }),
  connect_get_capabilities: (_args, { daemon }) => ({ xml: capabilitiesXml(daemon.host) }),
  connect_get_domain_capabilities: (args, { daemon }) => {
    if ((args.arch ?? 'x86_64') !== 'x86_64') {
      const what = `unable to find any emulator to serve '${args.arch}' architecture`;
      throw refuse.qemu('invalid_arg', `invalid argument: ${what}`);
    }
    return { xml: domainCapabilitiesXml(daemon.host, args) };
  },
  connect_baseline_hypervisor_cpu: ({ cpus }, { daemon }) => baselineCpu(daemon.host, cpus),
  connect_compare_cpu: ({ xml, flags }, { daemon }) => compareCpu(daemon.host, xml, flags),
  connect_compare_hypervisor_cpu: ({ xml, flags }, { daemon }) => compareCpu(daemon.host, xml, flags),
  connect_register_close_callback: () => ({}),
  connect_unregister_close_callback: () => ({}),
};
