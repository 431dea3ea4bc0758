// The gallery's entry: every part in every state, on made-up data, without a main side.
import { mount } from 'svelte';
import '../ui/tokens.css';
import '../ui/base.css';
import Gallery from './Gallery.svelte';

mount(Gallery, { target: document.body });
