// The one context menu of the window: where it is open, and with what.
import type { MenuItem } from '../ui/menu.ts';

export class OpenMenu {
  at: { x: number; y: number } | null = $state.raw(null);
  items: MenuItem[] = $state.raw([]);
  label = $state('');

  show(event: MouseEvent, label: string, items: MenuItem[]): void {
    event.preventDefault();
    event.stopPropagation();
    this.open({ x: event.clientX, y: event.clientY }, label, items);
  }

  open(at: { x: number; y: number }, label: string, items: MenuItem[]): void {
    this.items = items;
    this.label = label;
    this.at = at;
  }

  close(): void {
    this.at = null;
  }
}
