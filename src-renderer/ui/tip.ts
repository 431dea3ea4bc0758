// Tips: one floating element for the whole window, whatever it has of buttons and rows.
import type { Attachment } from 'svelte/attachments';

const delayMs = 450;
let bubble: HTMLElement | null = null;
let shownFor: HTMLElement | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
let waitingFor: HTMLElement | null = null;

/** Shows `text` beside the element while it is hovered or focused by keyboard; nothing where it is empty. */
export function tip(text: string | null | undefined): Attachment<HTMLElement> {
  return (element) => {
    if (!text) {
      if (shownFor === element) hide(element); // there is nothing to say any more
      return;
    }
    const soon = () => {
      clearTimeout(timer);
      waitingFor = element;
      timer = setTimeout(() => show(element, text), delayMs);
    };
    const onFocus = () => element.matches(':focus-visible') && soon();
    const onKey = (event: KeyboardEvent) => event.key === 'Escape' && hide(element);
    const away = () => hide(element);
    element.addEventListener('pointerenter', soon);
    element.addEventListener('pointerleave', away);
    element.addEventListener('pointerdown', away);
    element.addEventListener('focus', onFocus);
    element.addEventListener('blur', away);
    element.addEventListener('keydown', onKey);
    // The text of what is hovered may change under the pointer.
    if (shownFor === element) show(element, text);
    return () => {
      element.removeEventListener('pointerenter', soon);
      element.removeEventListener('pointerleave', away);
      element.removeEventListener('pointerdown', away);
      element.removeEventListener('focus', onFocus);
      element.removeEventListener('blur', away);
      element.removeEventListener('keydown', onKey);
      if (waitingFor === element) clearTimeout(timer); // its text is not true any more
      if (!element.isConnected) hide(element);
    };
  };
}

function show(element: HTMLElement, text: string) {
  if (!element.isConnected) return;
  if (!bubble) {
    bubble = document.createElement('div');
    bubble.className = 'tip';
    bubble.setAttribute('role', 'tooltip');
    bubble.popover = 'manual';
  }
  // Inside a dialog it has to live there: what is outside is inert.
  const home = element.closest('[role=dialog], [role=alertdialog]') ?? document.fullscreenElement ?? document.body;
  if (bubble.parentElement !== home) home.append(bubble);
  bubble.textContent = text;
  if (!bubble.matches(':popover-open')) bubble.showPopover();
  const at = element.getBoundingClientRect();
  const size = bubble.getBoundingClientRect();
  const left = Math.min(Math.max(8, at.left + at.width / 2 - size.width / 2), innerWidth - size.width - 8);
  const below = at.bottom + 6;
  const top = below + size.height > innerHeight - 8 ? at.top - size.height - 6 : below;
  bubble.style.left = `${left}px`;
  bubble.style.top = `${top}px`;
  shownFor = element;
}

function hide(element: HTMLElement) {
  clearTimeout(timer);
  if (shownFor !== null && shownFor !== element && shownFor.isConnected) return;
  shownFor = null;
  if (bubble?.isConnected && bubble.matches(':popover-open')) bubble.hidePopover();
}
