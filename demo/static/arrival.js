// Runs in the page's head, before Gradio starts.
import { KEPT, languageOf, languageOfPage, PARAMETER } from './model/language.js';
import { stored } from './view/storage.js';

const WIDEST = 1880; // pixels of the window, from which on the page grows with it

export function startArrival() {
  speak();
  window.addEventListener('resize', grow);
  grow();
}

function grow() {
  document.documentElement.style.setProperty('--zoom', Math.max(1, window.innerWidth / WIDEST));
}

// Whoever asks what language the page is in is answered the same: scripts, Gradio's among them, by the browser, the server by
// the address, which every request carries. What the browser says by itself needs no address.
function speak() {
  const own = languageOf(navigator.language);
  const language = languageOfPage(location.search, stored('localStorage', KEPT), own);
  document.documentElement.lang = language;
  Object.defineProperty(navigator, 'language', { configurable: true, get: () => language });
  Object.defineProperty(navigator, 'languages', { configurable: true, get: () => [language] });
  if (language === own) return;
  const url = new URL(location.href);
  url.searchParams.set(PARAMETER, language);
  history.replaceState(history.state, '', url);
}
