// What Drover keeps on disk, and where.
export { Document, type DocumentOptions } from './document.ts';
export { defaultDataDir } from './data-dir.ts';
export { Settings, type SavedHost, type SettingsOptions, type Store } from './settings.ts';
export { Keychain, keptForm, type Cipher } from './keychain.ts';
