// A VM's graphical console: its tools, the two clipboards, keys to be sent, and why it shows nothing.

export const graphicsPane = {
  what: 'Screen',
  unloadable: 'The screen could not be loaded. Reload the window, and see whether Drover still runs.',
  notConnected: 'the screen is not connected',
  screen: (name: string) => `Screen of ${name}; Ctrl+Shift+E leaves it`,

  sendKeys: 'Send keys',
  keysMenu: 'Keys for the guest',
  clipboard: 'Clipboard',
  fit: 'Fit into the pane',
  fullScreen: 'Full screen',

  passwordTitle: (name: string) => `Password for the screen of ${name}`,
  passwordAbout: (name: string, host: string) =>
    `The VNC server of ${name} on ${host} asks for it. It is sent there and kept only until this console is closed.`,
  user: 'User',
  password: 'Password',
};

export const graphicsClipboard = {
  region: 'Clipboard',
  to: (name: string) => `For ${name}`,
  pasteHere: 'Paste text here',
  noText: 'there is no text',
  put: 'Put on its clipboard',
  type: (lines: number) => (lines > 1 ? `Type ${lines} lines` : 'Type it'),
  agent: 'Its clipboard takes it where an agent runs in it.',
  from: (name: string) => `From ${name}`,
  empty: 'Nothing was copied there',
  nothingToCopy: 'nothing was copied there',
  copy: 'Copy to this machine',
  close: 'Close the clipboard',
};

/** Keys as they are printed on a keyboard. */
export const guestKeys = {
  attention: 'Ctrl+Alt+Del',
  backspace: 'Ctrl+Alt+Backspace',
  terminal: (number: number) => `Ctrl+Alt+F${number}`,
  nextWindow: 'Alt+Tab',
  closeWindow: 'Alt+F4',
  super: 'Windows key',
  print: 'Print Screen',
  escape: 'Esc',
};

/** Ways to log in that noVNC does not speak, as an admin knows them, by RFB's numbers. */
export const rfbSecurity = {
  named: { 5: 'RSA-AES', 18: 'TLS', 19: 'TLS (VeNCrypt)', 20: 'SASL' } as Readonly<Record<number, string>>,
  either: (names: readonly string[]) => names.join(' or '),
  unnamed: (types: readonly number[]) => `security type ${types.join(', ')}`,
};

export type GraphicsFailure =
  /** The password was wrong, or none was given. */
  | { kind: 'password'; said: string | null }
  /** It wants what noVNC does not speak. */
  | { kind: 'security'; wants: string }
  | { kind: 'refused'; said: string }
  | { kind: 'broken' };

/** Why a graphical console shows nothing, in a sentence, with what helps. */
export function graphicsFailure(why: GraphicsFailure, name: string, host: string): string {
  const server = `The VNC server of ${name} on ${host}`;
  switch (why.kind) {
    case 'password':
      return why.said === null
        ? `${server} was given no password that it takes. Try again; it stands in the VM’s definition (virsh dumpxml --security-info).`
        : `${server} did not take the password: “${why.said}”. Try again; it stands in the VM’s definition (virsh dumpxml --security-info).`;
    case 'security':
      return `${server} wants ${why.wants}, which this screen does not speak. Over SSH it is not needed: switch it off in /etc/libvirt/qemu.conf on ${host} (vnc_tls, vnc_sasl) for a server that listens on 127.0.0.1.`;
    case 'refused':
      return `${server} refuses: “${why.said}”. Close other viewers of it, then try again.`;
    case 'broken':
      return `${server} hung up, or said what this screen does not understand. Reconnect; if it comes again, look whether what listens there is a VNC server.`;
    default:
      return why satisfies never;
  }
}
