/** Preferences in the local storage of the browser. Without storage they are not kept. */

const PREFIX = "trio-stream.";

export function loadPreference(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function savePreference(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch {
    // In private windows and on full disks, the preference lasts until the page is closed.
  }
}
