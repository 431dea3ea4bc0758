// Before what needs packages from its first line on: Node is new enough, and they are there.
import { ensureModules, ensureNode } from './setup.mjs';

ensureNode();
ensureModules();
