// Where the focus goes when a dialog turns into its next step and what had it is gone.
import type { Attachment } from 'svelte/attachments';

/** Takes the focus when it appears, if nothing else in the window has it. */
export const takeFocus: Attachment<HTMLElement> = (element) => {
  // After the step before is taken out.
  const soon = requestAnimationFrame(() => {
    const has = document.activeElement;
    const dialog = element.closest('[role=dialog]');
    if (has === null || has === document.body || has === dialog) element.focus();
  });
  return () => cancelAnimationFrame(soon);
};
