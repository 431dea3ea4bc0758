// Which dialog is open, with what it is about. One at a time: a question of a login goes before it and leaves it standing.
import type {
  DomainRef,
  HostId,
  LifecycleAction,
  MigrationId,
  MigrationOptions,
  SnapshotView,
} from '../../contract/model.ts';

export type OpenDialog =
  | { kind: 'add-host'; uri?: string }
  | { kind: 'discover' }
  | { kind: 'host-key'; hostId: HostId }
  | { kind: 'rename-host'; hostId: HostId }
  | { kind: 'group-host'; hostId: HostId }
  | { kind: 'tags'; domains: DomainRef[] }
  | { kind: 'remove-host'; hostId: HostId }
  | { kind: 'migrate'; domains: DomainRef[]; to: HostId | null; chosen?: Partial<MigrationOptions> }
  | { kind: 'evacuate'; hostId: HostId }
  | { kind: 'batch'; batchId: string }
  | { kind: 'task'; migrationId: MigrationId }
  | { kind: 'force-off'; domains: DomainRef[] }
  | { kind: 'force-reset'; domains: DomainRef[] }
  | { kind: 'delete'; domains: DomainRef[] }
  | { kind: 'edit-xml'; domain: DomainRef }
  | { kind: 'take-snapshot'; domain: DomainRef; diskOnly: string | null; ondone: () => void }
  | { kind: 'revert-snapshot'; domain: DomainRef; snapshot: SnapshotView; ondone: () => void }
  | { kind: 'delete-snapshot'; domain: DomainRef; name: string; below: number; ondone: () => void }
  | { kind: 'several'; action: LifecycleAction; title: string; domains: DomainRef[] }
  | { kind: 'palette' }
  | { kind: 'shortcuts' };

export class Dialogs {
  /** Null while none is open. */
  open = $state.raw<OpenDialog | null>(null);

  show(dialog: OpenDialog): void {
    this.open = dialog;
  }

  close(): void {
    this.open = null;
  }
}
