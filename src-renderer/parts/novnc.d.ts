// What the window uses of noVNC, which brings no types of its own.
declare module '@novnc/novnc' {
  /** As a WebSocket: bytes go out by `send`, and come in by `onmessage`. */
  export interface Channel {
    binaryType: string;
    readonly protocol: string;
    readonly readyState: string;
    onopen: (() => void) | null;
    onmessage: ((event: { data: Uint8Array }) => void) | null;
    onclose: ((event: { code: number; reason: string }) => void) | null;
    onerror: ((event: unknown) => void) | null;
    send(bytes: Uint8Array): void;
    close(): void;
  }

  interface Events {
    connect: CustomEvent<Record<string, never>>;
    disconnect: CustomEvent<{ clean: boolean }>;
    credentialsrequired: CustomEvent<{ types: string[] }>;
    securityfailure: CustomEvent<{ status: number; reason?: string }>;
    clipboard: CustomEvent<{ text: string }>;
  }

  export default class RFB {
    constructor(
      target: HTMLElement,
      channel: Channel,
      options?: { shared?: boolean; credentials?: { password?: string; username?: string } },
    );
    scaleViewport: boolean;
    focusOnClick: boolean;
    background: string;
    showDotCursor: boolean;
    addEventListener<E extends keyof Events>(event: E, listener: (event: Events[E]) => void): void;
    sendCredentials(credentials: { username?: string; password?: string }): void;
    sendKey(keysym: number, code: string | null, down?: boolean): void;
    clipboardPasteFrom(text: string): void;
    focus(options?: FocusOptions): void;
    blur(): void;
    disconnect(): void;
  }
}
