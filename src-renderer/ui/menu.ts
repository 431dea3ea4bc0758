// What a menu is made of: data, so that buttons, context menus and the palette can share it.
import type { Component } from 'svelte';

export interface MenuAction {
  id: string;
  label: string;
  icon?: Component | undefined;
  /** Its shortcut, as it is shown: `Ctrl+B`. */
  keys?: string | undefined;
  /** Why it cannot be chosen now; shown under its label. */
  off?: string | null | undefined;
  /** Something to know before choosing it; shown under its label. */
  note?: string | null | undefined;
  danger?: boolean | undefined;
  checked?: boolean | undefined;
  /** A tint of its own (a host's), as a hue. */
  hue?: number | undefined;
  run?: (() => void) | undefined;
  /** A menu below it, made when it is opened. */
  items?: (() => MenuItem[]) | undefined;
  /** The menu below it is opened. */
  onopen?: (() => void) | undefined;
}

export type MenuItem = MenuAction | 'line' | { heading: string };
