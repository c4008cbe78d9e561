// The player and the rest of the page: photos that come in, the address, and what the page's components ask of each other.
import { PARAMETER as LESSON } from '../model/lesson.js';
import { addressOf } from '../model/messages.js';
import { say } from '../model/strings.js';
import { make } from './elements.js';

// A photo dropped or pasted anywhere on the page goes to the page's own photo field, whatever its name and kind say: the
// server tells by content, in the visitor's language. A file over ``limit`` bytes, or an address, is not sent; ``refuse``
// says so. ``bring`` is told of each file that goes there, and of none when Gradio's own camera or clipboard may bring one.
// Returns a function that sends a file there.
export function acceptPhotos(limit, refuse, bring) {
  const ADDRESS = /^(https?:\/\/|data:)\S+$/i;

  function field() {
    return document.querySelector('#photo input[type="file"]');
  }

  // Gradio refuses, in English, what is not called an image: a HEIC without a kind, a photo without a suffix.
  function named(file) {
    return file.type.startsWith('image/') ? file : new File([file], file.name, { type: 'image/jpeg' });
  }

  function send(file) {
    const input = field();
    if (!input || !file) return;
    if (refuse && file.size > limit) return refuse('large');
    const transfer = new DataTransfer();
    transfer.items.add(named(file));
    input.files = transfer.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  }

  function carries(event, kind) {
    return event.dataTransfer && Array.from(event.dataTransfer.types).includes(kind);
  }

  document.addEventListener('click', (event) => {
    if (!event.target.closest('#photo')) return;
    if (event.isTrusted) bring(null);
    if (field()) field().removeAttribute('accept');
  }, true);
  document.addEventListener('change', (event) => {
    const file = event.target.matches('#photo input[type="file"]') && event.target.files[0];
    if (!file) return;
    if (named(file) === file && !(refuse && file.size > limit)) return bring(file);
    event.stopImmediatePropagation();
    event.target.value = '';
    send(file);
  }, true);

  // The whole page is where a photo may be dropped, in full screen too, and says so while one is dragged over it.
  const target = make('div', 'sat-drop');
  target.setAttribute('aria-hidden', 'true');
  target.append(make('span', '', say('drop')));

  document.addEventListener('dragover', (event) => {
    const file = carries(event, 'Files');
    if (!file && !carries(event, 'text/uri-list')) return;
    event.preventDefault();
    if (file && field() && !target.isConnected) (document.fullscreenElement || document.body).append(target);
  }, true);
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) target.remove();
  }, true);
  document.addEventListener('drop', (event) => {
    target.remove();
    const link = carries(event, 'text/uri-list');
    if (!carries(event, 'Files') && !link) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.dataTransfer.files.length) send(event.dataTransfer.files[0]);
    else if (link && refuse) refuse('address');
  }, true);
  document.addEventListener('paste', (event) => {
    const data = event.clipboardData;
    if (!data || event.target.closest('input, textarea')) return;
    if (data.files.length) {
      if (!event.target.closest('#photo')) send(data.files[0]);
    } else if (refuse && ADDRESS.test(data.getData('text/plain').trim())) {
      refuse('address');
    }
  });
  return send;
}

// The address restores what is on the page; an offline page has none to restore.
export function remember(settings, example) {
  if (!settings || settings.length !== 3 || !location.protocol.startsWith('http')) return;
  const url = new URL(location.href);
  Object.entries(addressOf(settings, example)).forEach(([name, value]) => url.searchParams.set(name, value));
  if (url.href !== location.href) history.replaceState(history.state, '', url);
}

// The address opens at this step of the lesson (its number), or at none (null).
export function rememberLesson(step) {
  if (!location.protocol.startsWith('http')) return;
  const url = new URL(location.href);
  if (step === null) url.searchParams.delete(LESSON);
  else url.searchParams.set(LESSON, step);
  if (url.href !== location.href) history.replaceState(history.state, '', url);
}

// The settings of the search stand in the summary of what folds them away, which may come later than they.
export function summarize(settings) {
  if (!settings || settings.length !== 3) return;
  const [beam, temperature, seed] = settings;
  document.documentElement.style.setProperty('--values', JSON.stringify(say('summary', { beam, temperature, seed })));
}

// While a new caption is on its way, what stands below keeps its place.
export function keepHeight(root, kept) {
  if (!kept) root.style.minHeight = '';
  else if (!root.style.minHeight) root.style.minHeight = root.offsetHeight + 'px';
}

const SMALL = 112; // pixels, of the player that stays in sight

// A panel that lies over the page closes at Escape and at a click beside it.
export function closeBeside() {
  const isOpen = () => document.querySelector('#settings > button.open');
  document.addEventListener('pointerdown', (event) => {
    if (!event.target.closest('#settings') && isOpen()) isOpen().click();
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && isOpen()) isOpen().click();
  });
}

// On phones the photo and its caption stay in sight, small: once the page is scrolled past them, and without moving
// what is below.
export function keepInSight(root) {
  const panes = root.querySelector('.sat-panes');
  const sentinel = root.querySelector('.sat-sentinel');
  if (!window.IntersectionObserver) return;
  const narrow = window.matchMedia('(max-width: 759px)');
  new IntersectionObserver(([{ isIntersecting, boundingClientRect }]) => {
    const stuck = narrow.matches && !root.dataset.lesson && !isIntersecting && boundingClientRect.top < SMALL;
    if (stuck === root.classList.contains('sat-stuck')) return;
    const whole = panes.offsetHeight;
    root.classList.toggle('sat-stuck', stuck);
    if (stuck) panes.style.setProperty('--given', whole - panes.offsetHeight + 'px');
  }, { rootMargin: -SMALL + 'px 0px 0px' }).observe(sentinel);
}

// One word's equations in numbers: asked of Python once, then kept as long as its run is on the page.
export function createNumbers(ask, arrived) {
  const kept = new Map();
  const name = (asked) => [asked.run, asked.index, asked.position].join();

  document.addEventListener('sat-numbers', (event) => {
    if (!event.detail || !kept.has(name(event.detail))) return;
    kept.set(name(event.detail), event.detail);
    arrived(event.detail);
  });

  return {
    // Null until they are here.
    of(asked) {
      if (!kept.has(name(asked))) {
        for (const key of kept.keys()) if (!key.startsWith(asked.run + ',')) kept.delete(key);
        kept.set(name(asked), null);
        ask(asked);
      }
      return kept.get(name(asked));
    },
  };
}

// The player's camera ('live') and its 'lesson', and the switches for them elsewhere on the page: those wish, the player tells
// whether it is on.
export function wish(name) {
  document.dispatchEvent(new CustomEvent('sat-wished', { detail: { name } }));
}

export function onWished(name, act) {
  document.addEventListener('sat-wished', (event) => event.detail.name === name && act());
}

export function tell(name, on) {
  document.dispatchEvent(new CustomEvent('sat-told', { detail: { name, on } }));
}

export function onTold(name, act) {
  document.addEventListener('sat-told', (event) => event.detail.name === name && act(event.detail.on));
}

// The other end: numbers come from Python to a component of their own, which hands them on inside the page.
export function startFeed({ props, watch }) {
  watch('value', () => document.dispatchEvent(new CustomEvent('sat-numbers', { detail: props.value })));
}

// Likewise the words that complete what is being typed.
export function startCompletions({ props, watch }) {
  watch('value', () => document.dispatchEvent(new CustomEvent('sat-completions', { detail: props.value })));
}

export function onCompletions(arrived) {
  document.addEventListener('sat-completions', (event) => arrived(event.detail));
}

// Another component of the page asks what the player shows: the caption's index and its look; null without a player.
export function askShown() {
  const asked = new CustomEvent('sat-shown', { detail: { shown: null } });
  document.dispatchEvent(asked);
  return asked.detail.shown;
}

export function tellShown(shown) {
  document.addEventListener('sat-shown', (event) => (event.detail.shown = shown()));
}
