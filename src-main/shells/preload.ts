// The bridge that the desktop window's page is given: it calls and it listens, and it never grows.
import { contextBridge, ipcRenderer, type IpcRendererEvent } from 'electron';
import type { Bridge } from '../../contract/wire.ts';

const bridge: Bridge = {
  call: (name, args) => ipcRenderer.invoke('call', name, args) as ReturnType<Bridge['call']>,
  on: (event, listener) => {
    const hear = (_: IpcRendererEvent, payload: unknown) => listener(payload);
    ipcRenderer.on(`event:${event}`, hear);
    return () => void ipcRenderer.off(`event:${event}`, hear);
  },
};

contextBridge.exposeInMainWorld('drover', bridge);
