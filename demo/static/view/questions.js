// What if? The questions a class asks, one open at a time. Each goes to Python, which answers with one more caption.
import { askedPlace, askedWords, openedQuestion } from '../model/state.js';
import { say } from '../model/strings.js';
import { nameOf, percent, wordName } from '../model/wording.js';
import { isHeld, make } from './elements.js';
import { onCompletions } from './page.js';

const PAUSE = 150; // milliseconds without a key before the server is asked

// ``ask``: sends a question of this kind with what it needs; null where nobody answers.
export function createQuestions(root, store, ask) {
  const section = root.querySelector('.sat-whatif');
  const captionList = root.querySelector('.sat-caption-list');
  const search = root.querySelector('.sat-search');
  const answer = section.querySelector('.sat-answer');
  const untitledHeading = answer.querySelector('.sat-answer-title');
  const runnersUp = section.querySelector('.sat-ask-word');
  const [place, hide] = ['place', 'hide'].map((name) => section.querySelector('.sat-ask-' + name));
  const settings = section.querySelector('.sat-settings');
  const field = section.querySelector('.sat-own input');
  const titles = [...section.querySelectorAll('.sat-question')];
  const panels = [...section.querySelectorAll('.sat-panel')];
  let shown = {}; // the word asked about

  section.classList.toggle('sat-unserved', !ask);
  titles.forEach((title, index) => {
    const { question } = title.dataset;
    panels[index].prepend(make('h3', '', say('questions')[question]), make('p', 'sat-note sat-how'));
    panels[index].id = 'sat-panel-' + question;
    title.id = 'sat-tab-' + question;
    title.setAttribute('aria-controls', panels[index].id);
    panels[index].setAttribute('aria-labelledby', title.id);
    title.textContent = say('tabs')[question];
    title.addEventListener('click', () => store.set(openedQuestion(question)));
  });
  section.querySelector('.sat-tabs').addEventListener('keydown', (event) => {
    const at = titles.indexOf(event.target);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: titles.length - 1 }[event.key];
    if (at < 0 || to === undefined || !event.target.matches(':focus-visible')) return;
    event.preventDefault();
    const title = titles[(to + titles.length) % titles.length];
    title.focus();
    title.click();
  });
  field.placeholder = say('ownHint');
  field.setAttribute('aria-label', say('ownHint'));
  place.addEventListener('click', () => ask('place'));
  hide.addEventListener('click', () => ask('hide'));
  section.querySelector('.sat-ask-uniform').addEventListener('click', () => ask('uniform'));
  section.querySelector('.sat-own').addEventListener('submit', (event) => {
    event.preventDefault();
    if (field.value.trim() && isReady(store.get())) ask('own', { sentence: field.value.trim() });
  });
  settings.addEventListener('submit', (event) => {
    event.preventDefault();
    const wanted = ['beam', 'temperature', 'seed'].map((name) => settings.elements[name].valueAsNumber);
    ask('settings', { settings: wanted });
  });

  // A comparison that answers none of them stands with the captions it compares, or with the search whose dropped
  // beginning was finished, under its own heading.
  function open(state) {
    const { question, untitled } = state;
    const finished = captionsShown(state).some(({ origin }) => origin === 'branch');
    titles.forEach((title, index) => {
      const isOpen = title.dataset.question === question;
      title.setAttribute('aria-selected', String(isOpen));
      title.tabIndex = isOpen ? 0 : -1;
      panels[index].hidden = !isOpen;
      if (isOpen && !untitled) panels[index].append(answer);
    });
    if (untitled) (finished ? search : captionList).append(answer);
    untitledHeading.hidden = !untitled;
    untitledHeading.textContent = say(finished ? 'finishedPair' : 'foundPair');
    root.dataset.question = question;
  }

  function enable(state) {
    const ready = isReady(state);
    section.querySelectorAll('.sat-ask button').forEach((button) => (button.disabled = !ready));
    for (const button of [place, hide]) button.disabled = !ready || !state.region;
    section.querySelectorAll('.sat-ask-hint').forEach((hint) => (hint.hidden = Boolean(state.region)));
  }

  function runnerUp([text, chance]) {
    const button = make('button', 'sat-toggle');
    button.disabled = !isReady(store.get());
    button.append(make('bdi', '', wordName(text)), ' ', make('span', 'sat-number', percent(chance)));
    button.addEventListener('click', () => ask('word', { word: text }));
    return button;
  }

  // What the questions say of the word at this place of the caption that they are about. What is pointed at stays.
  function show({ at }, state) {
    if (isHeld(runnersUp) && shown.words === askedWords(state)) return;
    const words = askedWords(state);
    const word = words[Math.min(at, words.length - 1)];
    if (word === shown.word) return;
    shown = { word, words };
    const name = word ? nameOf(word) : '…';
    panels.forEach((panel) => {
      panel.querySelector('.sat-how').textContent = say('how')[panel.dataset.question].replace('{word}', () => name);
    });
    place.textContent = say('askPlace', { word: name });
    const others = word ? word.alternatives.filter(([text]) => text !== word.text) : [];
    runnersUp.replaceChildren(...others.map(runnerUp));
  }

  store.subscribe(['question', 'untitled', 'words', 'others'], open);
  store.subscribe(['data', 'words', 'region'], enable);
  open(store.get());
  show({ at: 0 }, store.get());
  return { show };
}

// The one that plays and the one beside it.
function captionsShown({ data, chosen, companion }) {
  return [data.captions[chosen], data.captions[companion]].filter(Boolean);
}

function isReady({ data, words }) {
  return data.done && words.length > 0;
}

// Any word can be typed in the place of the word on show; those that the model knows complete it, likeliest first.
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
