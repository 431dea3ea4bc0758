// A guest's screen for the gallery: a picture, and no VNC server.
import { GraphicsScreen, type GraphicsState } from '../parts/graphics-screen.ts';

type Rfb = ConstructorParameters<typeof GraphicsScreen>[0];

/** What of noVNC a screen needs that is only looked at. */
class Picture extends EventTarget {
  constructor(into: HTMLElement) {
    super();
    const canvas = document.createElement('canvas');
    canvas.width = 640;
    canvas.height = 400;
    canvas.style.cssText = 'width:100%;height:100%;object-fit:contain';
    const draw = canvas.getContext('2d');
    if (draw) {
      draw.fillStyle = '#123';
      draw.fillRect(0, 0, 640, 400);
      draw.fillStyle = '#cde';
      draw.font = '20px monospace';
      draw.fillText('Debian GNU/Linux 12 web01 tty1', 20, 40);
      draw.fillText('web01 login: _', 20, 80);
    }
    into.replaceChildren(canvas);
  }
  focus() {}
  sendKey() {}
  sendCredentials() {}
  clipboardPasteFrom() {}
  disconnect() {}
}

export function madeUpScreen(state: GraphicsState, guestText: string | null = null): () => Promise<GraphicsScreen> {
  const screen = new GraphicsScreen(Picture as unknown as Rfb, () => {});
  if (state.is === 'shown') screen.begin();
  screen.state = state;
  screen.guestText = guestText;
  return () => Promise.resolve(screen);
}
