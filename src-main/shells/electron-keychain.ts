// The system's keychain, by Electron's safeStorage.
import { safeStorage } from 'electron';
import type { Cipher } from '../api/drover.ts';

/** What Electron uses on Linux where there is no keyring: a password that is the same everywhere, so no secret. */
const noKeyring = new Set(['basic_text', 'unknown']);

/** Null where nothing can be kept safely. Only once the app is ready. */
export function systemKeychain(): Cipher | null {
  if (!safeStorage.isEncryptionAvailable()) return null;
  if (process.platform === 'linux' && noKeyring.has(safeStorage.getSelectedStorageBackend())) return null;
  return {
    encrypt: (text) => safeStorage.encryptString(text),
    decrypt: (blob) => safeStorage.decryptString(blob),
  };
}
