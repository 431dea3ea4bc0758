// The real window on a made-up main side, of the size that the address asks for: `?hosts=3&each=4`.
import { mount } from 'svelte';
import '../../../src-renderer/ui/tokens.css';
import '../../../src-renderer/ui/base.css';
import App from '../../../src-renderer/App.svelte';
import { madeUpFleet } from '../../window/made-up-fleet.ts';
import { MadeUpMain } from '../../window/made-up-main.ts';

const asked = new URLSearchParams(location.search);
const number = (name: string, usual: number) => Number(asked.get(name) ?? usual);

const main = new MadeUpMain(
  madeUpFleet({ hosts: number('hosts', 3), each: number('each', 4), seed: number('seed', 1) }),
);
main.percentMs = number('percentMs', 30);

Object.assign(window, { main });
mount(App, { target: document.body, props: { link: main } });
// A past for the sparklines, once the window has its snapshot.
setTimeout(() => {
  for (let i = 0; i < number('beats', 40); i += 1) main.beat();
}, 100);
setInterval(() => main.beat(), number('beatMs', 1000));
