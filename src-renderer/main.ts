// The window's entry: opens the link to the main side and shows the app on it.
import { mount } from 'svelte';
import './ui/tokens.css';
import './ui/base.css';
import App from './App.svelte';
import { openLink } from './link/index.ts';

mount(App, { target: document.body, props: { link: openLink() } });
