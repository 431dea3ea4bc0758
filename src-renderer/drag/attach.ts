// The mouse's part of a drag: the browser's own drag and drop, one attachment for each of its two ends.
import type { Attachment } from 'svelte/attachments';
import type { DomainView, HostId } from '../../contract/model.ts';
import { carried } from '../words/drag.ts';
import type { Drag } from './drag.svelte.ts';

const type = 'application/x-drover-vm';

interface Source {
  drag: Drag;
  /** What is taken along when the drag starts here; none: it does not start. */
  domains: () => readonly DomainView[];
}

/** Makes an element something that can be picked up. */
export function source({ drag, domains }: Source): Attachment<HTMLElement> {
  return (element) => {
    element.draggable = true;
    const onstart = (event: DragEvent) => {
      const taken = domains();
      if (!event.dataTransfer || taken.length === 0) {
        event.preventDefault();
        return;
      }
      event.stopPropagation();
      event.dataTransfer.effectAllowed = 'move';
      event.dataTransfer.setData(type, taken.map((domain) => domain.uuid).join(' '));
      event.dataTransfer.setData('text/plain', taken.map((domain) => domain.name).join('\n'));
      const image = picture(taken);
      event.dataTransfer.setDragImage(image, 14, 14);
      // It is photographed once this event is over.
      setTimeout(() => image.remove());
      // At once, for a fast hand; so nothing that shows the verdicts may move what is under the pointer.
      drag.start(taken, 'mouse');
    };
    const onend = () => drag.end();
    element.addEventListener('dragstart', onstart);
    element.addEventListener('dragend', onend);
    return () => {
      element.removeEventListener('dragstart', onstart);
      element.removeEventListener('dragend', onend);
    };
  };
}

/** Makes an element a place where VMs may be put down. */
export function target({ drag, host }: { drag: Drag; host: HostId }): Attachment<HTMLElement> {
  return (element) => {
    // Entering a child is told before leaving its parent: what counts is how deep we are.
    let depth = 0;
    const onenter = (event: DragEvent) => {
      depth += 1;
      if (drag.active && drag.by === 'mouse') drag.over = host;
      allow(event);
    };
    const allow = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes(type)) return;
      // Refused or not, it is taken: a drop that is refused says why.
      event.preventDefault();
      event.dataTransfer.dropEffect = 'move';
    };
    const onleave = () => {
      depth = Math.max(0, depth - 1);
      if (depth === 0 && drag.over === host) drag.over = null;
    };
    const ondrop = (event: DragEvent) => {
      depth = 0;
      if (!event.dataTransfer?.types.includes(type)) return;
      event.preventDefault();
      drag.drop(host);
    };
    element.addEventListener('dragenter', onenter);
    element.addEventListener('dragover', allow);
    element.addEventListener('dragleave', onleave);
    element.addEventListener('drop', ondrop);
    return () => {
      element.removeEventListener('dragenter', onenter);
      element.removeEventListener('dragover', allow);
      element.removeEventListener('dragleave', onleave);
      element.removeEventListener('drop', ondrop);
    };
  };
}

/** What hangs at the pointer: a name, or how many. */
function picture(domains: readonly DomainView[]): HTMLElement {
  const element = document.createElement('div');
  element.className = 'drag-picture';
  element.textContent = carried(domains.map(({ name }) => name));
  document.body.append(element);
  return element;
}
