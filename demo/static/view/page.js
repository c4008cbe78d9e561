// The player and the rest of the page: the address, what stays in sight, and what the page's components ask of each other.
import { PARAMETER as LESSON } from '../model/lesson.js';
import { addressOf } from '../model/messages.js';
import { say } from '../model/strings.js';

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
