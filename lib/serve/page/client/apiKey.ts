/** The API key, where the server asks for one: kept for this tab's session, and asked for in a form. */
import { byId } from './element.js';

/** By path, as one origin may have several servers below it. */
const NAME = `bitpath-key:${new URL('.', location.href).pathname}`;

const form = byId('key', HTMLFormElement);
const input = byId('key-input', HTMLInputElement);
const problem = byId('key-problem', HTMLParagraphElement);
const forget = byId('forget', HTMLButtonElement);

let known = '';
let waiting: (() => void)[] = [];

export function apiKey(): string {
  return known;
}

/** Resolves once there is a key other than `refused`, which the server did not take; empty where none was sent. */
export async function askForKey(refused: string): Promise<void> {
  if (known !== refused) return;
  if (refused !== '') {
    keep('');
    complain('The server did not take this key.');
  }
  if (form.hidden) {
    form.hidden = false;
    input.focus();
  }
  await new Promise<void>((resolve) => waiting.push(resolve));
}

/** `onKey` is called when a key was entered, `onForgotten` when it was thrown away. */
export function setUpKeys(onKey: () => void, onForgotten: () => void): void {
  keep(stored());
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const key = input.value.trim();
    // Nothing else goes into a header, so no server has such a key.
    if (!/^[\x21-\x7e]+$/.test(key)) {
      complain(key === '' ? 'Enter a key.' : 'A key has letters, digits and signs, without spaces.');
      input.focus();
      return;
    }
    keep(key);
    complain('');
    input.value = '';
    form.hidden = true;
    onKey();
    const resolved = waiting;
    waiting = [];
    for (const resolve of resolved) resolve();
  });
  forget.addEventListener('click', () => {
    keep('');
    onForgotten();
  });
}

function complain(text: string): void {
  problem.textContent = text;
  problem.hidden = text === '';
  input.setAttribute('aria-invalid', String(text !== ''));
}

// Where a browser forbids storage, a key lasts as long as the page.
function stored(): string {
  try {
    return sessionStorage.getItem(NAME) ?? '';
  } catch {
    return '';
  }
}

function keep(key: string): void {
  known = key;
  forget.hidden = key === '';
  try {
    if (key === '') sessionStorage.removeItem(NAME);
    else sessionStorage.setItem(NAME, key);
  } catch {}
}
