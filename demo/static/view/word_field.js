// Any word can be typed in the place of the word on show; those that the model knows complete it, likeliest first.
import { askedPlace } from '../model/state.js';
import { say } from '../model/strings.js';
import { percent, wordName } from '../model/wording.js';
import { make } from './elements.js';
import { onCompletions } from './page.js';

const PAUSE = 150; // milliseconds without a key before the server is asked

// ``ask``: has a word said. ``complete``: asks which words begin so; both null where nobody answers.
export function createWordField(root, store, ask, complete) {
  const form = root.querySelector('.sat-any-word');
  const field = form.querySelector('input');
  const list = form.querySelector('ul');
  const line = root.querySelector('.sat-any-word-line');
  let timer = null;
  let asked = null; // for which word's place, and what was typed
  let answer = null; // to that
  let active = -1; // of the options
  let entered = false; // before the answer came

  field.placeholder = say('wordHint');
  field.setAttribute('aria-label', say('wordHint'));
  list.setAttribute('aria-label', say('wordHint'));
  if (!complete) return;

  const wanted = () => ({ ...askedPlace(store.get()), typed: field.value.trim() });
  const isOf = (told, place) => Boolean(told) && ['run', 'index', 'position', 'typed'].every((name) => told[name] === place[name]);

  function open(shown) {
    list.hidden = !shown;
    field.setAttribute('aria-expanded', String(shown));
    point(-1);
  }

  function point(index) {
    active = index;
    [...list.children].forEach((option, place) => option.setAttribute('aria-selected', String(place === active)));
    if (active < 0) return field.removeAttribute('aria-activedescendant');
    field.setAttribute('aria-activedescendant', list.children[active].id);
    list.children[active].scrollIntoView({ block: 'nearest' });
  }

  function request() {
    clearTimeout(timer);
    const place = wanted();
    if (!store.get().data.done || place.position < 0) return;
    asked = place;
    if (isOf(answer, asked)) arrived();
    else complete(asked);
  }

  function option([word, chance], index) {
    const item = make('li');
    item.id = 'sat-any-word-' + index;
    item.setAttribute('role', 'option');
    item.append(make('bdi', '', wordName(word)), ' ', make('span', 'sat-number', percent(chance)));
    item.addEventListener('pointerdown', (event) => event.preventDefault()); // the field keeps the focus
    item.addEventListener('click', () => speak(word));
    return item;
  }

  function arrived() {
    list.replaceChildren(...answer.words.map(option));
    open(answer.words.length > 0 && document.activeElement === field);
    if (entered) enter();
  }

  function speak(word) {
    entered = false;
    open(false);
    ask('word', { word });
  }

  // A word that the model does not know stays in the field.
  function enter() {
    const { typed } = wanted();
    if (active >= 0) return speak(answer.words[active][0]);
    if (!typed) return;
    entered = !isOf(answer, wanted());
    if (entered) return request();
    if (answer.word) return speak(answer.word);
    open(false);
    line.textContent = say('unknownTyped', { word: typed, count: answer.known.toLocaleString('en') });
  }

  onCompletions((told) => {
    if (isOf(told, asked || {})) {
      answer = told;
      if (isOf(told, wanted())) arrived();
    } else if (told && told.run === undefined && entered) {
      speak(field.value.trim()); // refused: the server says why
    }
  });
  field.addEventListener('focus', () => store.set({ playing: false }));
  field.addEventListener('blur', () => open(false));
  field.addEventListener('input', () => {
    line.textContent = '';
    entered = false;
    point(-1);
    clearTimeout(timer);
    timer = setTimeout(request, PAUSE);
  });
  field.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Escape' && !list.hidden) {
      event.preventDefault();
      open(false);
    } else if (by) {
      event.preventDefault();
      if (list.hidden) request();
      else point((active + by + list.children.length + (active < 0 && by < 0)) % list.children.length);
    }
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    enter();
  });
  store.subscribe(['data', 'step', 'chosen', 'keep'], () => list.hidden || open(false));
}
