// What a host says that it is and can run.
import { canonical } from './definition.ts';
import type { SimHost } from './host.ts';

export function capabilitiesXml({ uuid, spec }: SimHost): string {
  const { cpuModel, machines, kvm, cpus, memoryGiB } = spec;
  const machineLines = [
    ...machines.map((name) => `      <machine maxCpus='${name.includes('q35') ? 288 : 255}'>${name}</machine>\n`),
  ];
  for (const short of ['pc', 'q35']) {
    const whole = canonical(short, machines);
    if (whole !== short) machineLines.push(`      <machine canonical='${whole}' maxCpus='255'>${short}</machine>\n`);
  }
  return `<capabilities>

  <host>
    <uuid>${uuid}</uuid>
    <cpu>
      <arch>x86_64</arch>
      <model>${cpuModel}</model>
      <vendor>AMD</vendor>
      <topology sockets='1' dies='1' cores='${Math.max(1, cpus / 2)}' threads='${cpus > 1 ? 2 : 1}'/>
      <pages unit='KiB' size='4'/>
      <pages unit='KiB' size='2048'/>
    </cpu>
    <power_management/>
    <iommu support='no'/>
    <migration_features>
      <live/>
      <uri_transports>
        <uri_transport>tcp</uri_transport>
        <uri_transport>rdma</uri_transport>
      </uri_transports>
    </migration_features>
    <topology>
      <cells num='1'>
        <cell id='0'>
          <memory unit='KiB'>${memoryGiB * 2 ** 20}</memory>
        </cell>
      </cells>
    </topology>
    <secmodel>
      <model>none</model>
      <doi>0</doi>
    </secmodel>
  </host>

  <guest>
    <os_type>hvm</os_type>
    <arch name='x86_64'>
      <wordsize>64</wordsize>
      <emulator>/usr/bin/qemu-system-x86_64</emulator>
${machineLines.join('')}      <domain type='qemu'/>
${kvm ? "      <domain type='kvm'/>\n" : ''}    </arch>
    <features>
      <acpi default='on' toggle='yes'/>
      <apic default='on' toggle='no'/>
      <cpuselection/>
      <deviceboot/>
      <disksnapshot default='on' toggle='no'/>
    </features>
  </guest>

</capabilities>
`;
}

export function domainCapabilitiesXml(
  { spec }: SimHost,
  { arch, machine, virttype }: { arch: string | null; machine: string | null; virttype: string | null },
): string {
  return `<domainCapabilities>
  <path>/usr/bin/qemu-system-x86_64</path>
  <domain>${virttype ?? (spec.kvm ? 'kvm' : 'qemu')}</domain>
  <machine>${canonical(machine ?? 'pc', spec.machines)}</machine>
  <arch>${arch ?? 'x86_64'}</arch>
  <vcpu max='255'/>
  <cpu>
    <mode name='host-passthrough' supported='yes'/>
    <mode name='host-model' supported='yes'>
      <model fallback='forbid'>${spec.cpuModel}</model>
    </mode>
  </cpu>
</domainCapabilities>
`;
}
