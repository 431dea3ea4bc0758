// What lies above all else: the page, or what of it is in full screen. Menus, dialogs and tips go there, to be seen.
class Layer {
  element: Element | null = $state.raw(null);

  constructor() {
    if (typeof document === 'undefined') return;
    document.addEventListener('fullscreenchange', () => (this.element = document.fullscreenElement));
  }

  /** Where to put it. */
  get to(): Element | 'body' {
    return this.element ?? 'body';
  }
}

export const layer = new Layer();
