// What is judged before it is begun: a VM, and from where to where it is to go, and how.
import type { DomainView, MigrationOptions } from '../../contract/model.ts';
import type { Host } from '../fleet/host.ts';

export interface Route {
  domain: DomainView;
  source: Host;
  target: Host;
  options: MigrationOptions;
}
