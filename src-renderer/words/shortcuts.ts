// What the keyboard does, as the page about it and the palette say it.

export const shortcuts = {
  title: 'Keyboard',
  about: 'None of these reach Drover while a console has the focus: there they are the guest’s.',
  window: 'Window',
  domains: 'The VMs selected',
  host: 'The host selected',
  lists: 'In lists',
  inLists: {
    choose: 'Choose',
    range: 'Choose a range',
    add: 'Add to the selection',
    all: 'Select all',
    beside: 'Open console beside',
    menu: 'Menu',
  },
  /** Of the window, wherever it is. */
  does: {
    search: 'Search',
    palette: 'All actions',
    shortcuts: 'Keyboard shortcuts',
    hosts: 'Hosts',
    vms: 'VMs',
    mobility: 'Mobility: who can go where',
    tree: 'Show or hide the tree',
    detail: 'Show or hide details',
    tasks: 'Show or hide recent tasks',
    undo: 'Undo',
    closeConsole: 'Close the console in front',
    detachConsole: 'Put the console in front into a window of its own',
  },
};
