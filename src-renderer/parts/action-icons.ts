// The picture of each action: one place, so that a button, its menu row and the palette show the same.
import type { Component } from 'svelte';
import ArrowRightLeft from '@lucide/svelte/icons/arrow-right-left';
import DoorOpen from '@lucide/svelte/icons/door-open';
import FolderIcon from '@lucide/svelte/icons/folder';
import Grab from '@lucide/svelte/icons/grab';
import KeyRound from '@lucide/svelte/icons/key-round';
import MonitorPlay from '@lucide/svelte/icons/monitor-play';
import Moon from '@lucide/svelte/icons/moon';
import Pause from '@lucide/svelte/icons/pause';
import Pencil from '@lucide/svelte/icons/pencil';
import Play from '@lucide/svelte/icons/play';
import Plug from '@lucide/svelte/icons/plug';
import Power from '@lucide/svelte/icons/power';
import RotateCcw from '@lucide/svelte/icons/rotate-ccw';
import Save from '@lucide/svelte/icons/save';
import SquareTerminal from '@lucide/svelte/icons/square-terminal';
import StepForward from '@lucide/svelte/icons/step-forward';
import Tags from '@lucide/svelte/icons/tags';
import Trash2 from '@lucide/svelte/icons/trash-2';
import Undo2 from '@lucide/svelte/icons/undo-2';
import Unplug from '@lucide/svelte/icons/unplug';
import Zap from '@lucide/svelte/icons/zap';
import ZapOff from '@lucide/svelte/icons/zap-off';

const icons: Record<string, Component> = {
  console: SquareTerminal,
  graphics: MonitorPlay,
  start: Play,
  resume: StepForward,
  suspend: Pause,
  shutdown: Power,
  reboot: RotateCcw,
  managedsave: Save,
  migrate: ArrowRightLeft,
  carry: Grab,
  'move-back': Undo2,
  evacuate: DoorOpen,
  destroy: ZapOff,
  reset: Zap,
  delete: Trash2,
  connect: Plug,
  disconnect: Unplug,
  'host-key': KeyRound,
  rename: Pencil,
  group: FolderIcon,
  tags: Tags,
  remove: Trash2,
  theme: Moon,
};

export const actionIcon = (id: string): Component | undefined => icons[id];
