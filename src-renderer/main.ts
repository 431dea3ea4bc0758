// The window's entry: opens the link to the main side and shows on it the app, or the one console that its address wants.
import { mount } from 'svelte';
import './ui/tokens.css';
import './ui/base.css';
import App from './App.svelte';
import ConsoleWindow from './ConsoleWindow.svelte';
import { openLink } from './link/index.ts';
import { wantedIn } from './views/console-window.ts';

const wanted = wantedIn(location.search);
// Where a console stands alone, nobody is asked for a password.
const link = openLink({ answers: wanted === null });
if (wanted) mount(ConsoleWindow, { target: document.body, props: { link, wanted } });
else mount(App, { target: document.body, props: { link } });
