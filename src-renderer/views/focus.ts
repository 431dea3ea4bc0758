// Where the focus goes when a dialog turns into its next step and what had it is gone.
import type { Attachment } from 'svelte/attachments';

/** Takes the focus when it appears, unless another dialog has it. */
export const takeFocus: Attachment<HTMLElement> = (element) => {
  // After the step before is taken out, and the dialog has put the focus back on its first button.
  const soon = requestAnimationFrame(() => {
    const dialog = element.closest('[role=dialog]');
    const has = document.activeElement;
    if (has === null || has === document.body || dialog?.contains(has)) element.focus();
  });
  return () => cancelAnimationFrame(soon);
};
