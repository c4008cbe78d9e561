// What is explained beside the caption: how it works, part by part, and words of the field where they stand.
import { forms, litPart, PARTS, termsIn } from '../model/explanations.js';
import { say } from '../model/strings.js';
import { make, setAttribute } from './elements.js';

const PLACES = '.sat, #about';
// The model's words, what is only heard, and the LSTM's own gates.
const NOT_IN = 'bdi, .sat-word, .sat-thumb, .sat-gloss, .sat-unseen, .sat-live, .sat-spoken, [data-part="lstm"], select, style, script';
const ACTIVE = 'button, a, summary, label';
const GRADIOS = { '#beam': 'beam', '#temperature': 'temperature' }; // labels and fields that are Gradio's own
const LINGER = 150; // milliseconds, to come from a word to its explanation
const GAP = 6; // pixels

// How it works: the parts from photo to word, lit in step with playback; each opens one sentence and its equations.
export function createHowItWorks(root) {
  const section = root.querySelector('.sat-how-it-works');
  const list = section.querySelector('ol');
  const panel = section.querySelector('.sat-part-panel');
  const buttons = PARTS.map((part) => {
    const item = make('li');
    const button = make('button', 'sat-part', say('parts')[part.name]);
    button.dataset.part = part.name;
    button.setAttribute('aria-expanded', 'false');
    button.setAttribute('aria-controls', panel.id);
    button.addEventListener('click', () => toggle(part, button));
    item.append(button);
    return button;
  });
  let lit = null;
  list.append(...buttons.map((button) => button.parentElement));

  // One part is open at a time.
  function toggle(part, button) {
    const opens = button.getAttribute('aria-expanded') === 'false';
    buttons.forEach((each) => setAttribute(each, 'aria-expanded', String(opens && each === button)));
    const formulas = part.formulas.map((formula) => make('code', '', formula));
    panel.replaceChildren(...(opens ? [make('p', '', say('partLines')[part.name]), ...formulas] : []));
  }

  return {
    // ``position``: of playback, in words.
    follow(state, position) {
      const part = litPart(state, position);
      if (part === lit) return;
      lit = part;
      buttons.forEach((button, index) => button.classList.toggle('sat-lit', index === part));
    },
  };
}

// Words of the field explained where they stand: pointed at, or come to by keys. One popover for all; nothing moves.
// ``glossary``: of each word its forms and its explanation, in the page's language.
export function createGlossary(root, glossary) {
  const pattern = forms(glossary);
  const tip = make('div', 'sat-gloss');
  let shown = null; // what it explains
  let leaving = null;

  Object.assign(tip, { id: 'sat-gloss', role: 'tooltip' });
  if ('popover' in tip) tip.popover = 'manual';
  else tip.hidden = true;
  root.append(tip);

  // Beside its word, above it where there is room, and within the window. ``zoom``: the page may be enlarged.
  function place() {
    const zoom = tip.currentCSSZoom || 1;
    const [word, own] = [shown.getBoundingClientRect(), tip.getBoundingClientRect()];
    const above = word.top - own.height - GAP;
    const left = Math.min(Math.max(word.left, GAP), window.innerWidth - own.width - GAP);
    tip.style.left = Math.max(left, GAP) / zoom + 'px';
    tip.style.top = (above > 0 ? above : word.bottom + GAP) / zoom + 'px';
  }

  function show(part, name) {
    clearTimeout(leaving);
    if (part === shown) return;
    hide();
    shown = part;
    tip.textContent = glossary[name].says;
    part.setAttribute('aria-describedby', tip.id);
    if (tip.showPopover) tip.showPopover();
    else tip.hidden = false;
    place();
  }

  function hide() {
    clearTimeout(leaving);
    if (!shown) return;
    shown.removeAttribute('aria-describedby');
    shown = null;
    if (tip.hidePopover) tip.hidePopover();
    else tip.hidden = true;
  }

  function leave() {
    clearTimeout(leaving);
    leaving = setTimeout(hide, LINGER);
  }

  function wrapped(text, name, active) {
    const term = make('span', 'sat-term', text);
    term.dataset.term = name;
    if (!active) term.tabIndex = 0;
    return term;
  }

  // Each of the words in a text becomes an element of its own.
  function wrap(node) {
    const parent = node.parentElement;
    if (!parent || parent.matches('.sat-term') || !parent.closest(PLACES) || parent.closest(NOT_IN)) return;
    const found = termsIn(node.data, pattern);
    if (!found.some(({ name }) => name)) return;
    const active = Boolean(parent.closest(ACTIVE));
    node.replaceWith(...found.map(({ text, name }) => (name ? wrapped(text, name, active) : document.createTextNode(text))));
  }

  function scan(part) {
    if (part.nodeType === Node.TEXT_NODE) return wrap(part);
    if (part.nodeType !== Node.ELEMENT_NODE) return;
    const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    texts.forEach(wrap);
  }

  // What is explained by something, and by which word: a word, or a field that has one in its label.
  function explained(target) {
    const term = target.closest('.sat-term');
    if (term) return [term, term.dataset.term];
    const own = Object.keys(GRADIOS).find((each) => target.closest(each));
    if (own && target.closest('input, [data-testid="block-info"]')) return [target, GRADIOS[own]];
    const label = target.matches('input') && target.closest('label');
    const inside = label && label.querySelector('.sat-term');
    return inside ? [target, inside.dataset.term] : null;
  }

  document.addEventListener('pointerover', (event) => {
    if (event.pointerType === 'touch') return;
    if (tip.contains(event.target)) return clearTimeout(leaving);
    const found = !event.target.matches('input') && explained(event.target);
    if (found) show(...found);
    else if (shown && shown !== document.activeElement) leave();
  });
  document.addEventListener('focusin', (event) => {
    const found = explained(event.target);
    if (found) show(...found);
    else hide();
  });
  document.addEventListener('focusout', hide);
  document.addEventListener('scroll', () => shown && place(), { capture: true, passive: true });
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !shown) return;
    hide();
    event.stopImmediatePropagation();
  }, true);

  new MutationObserver((changes) => {
    for (const { type, target, addedNodes } of changes) {
      if (type === 'characterData') wrap(target);
      else addedNodes.forEach(scan);
    }
    if (shown && !shown.isConnected) hide();
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
  scan(document.body);
}
