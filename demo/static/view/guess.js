// Where will it look? Cells are marked on the photo by pointer, touch or keys, one side or two; then the map is shown, with
// what lies in the guess.
import { brush, guessed, isGuessable, isSecret, NO_GUESS, roundAt, settled, SIDES, tally } from '../model/guess.js';
import { isShowing } from '../model/live.js';
import { momentOf, paired } from '../model/state.js';
import { say } from '../model/strings.js';
import { nameOf, percent, pointsInWords } from '../model/wording.js';
import { make, outline, press, setText } from './elements.js';
import { TYPING } from './playback.js';

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const FINGERTIP = 1; // cells around the one that is touched

// ``stage``: the photo's. ``go``: to a word of the caption.
export function createGuess(root, store, stage, go) {
  const section = root.querySelector('.sat-guess');
  const field = root.querySelector('.sat-guess-field');
  const cells = field.querySelector('.sat-guess-cells');
  const cursor = field.querySelector('.sat-guess-cursor');
  const photo = root.querySelector('.sat-top .sat-stage');
  const start = root.querySelector('.sat-guess-start');
  const [question, found, sums] = ['question', 'found', 'sums'].map((name) => section.querySelector('.sat-guess-' + name));
  const [next, two, anew, close] = ['next', 'two', 'anew', 'close'].map((name) => section.querySelector('.sat-guess-' + name));
  let marks = null; // whether the drag that goes on marks or unmarks
  let shown = '';

  const set = (change) => store.set({ guess: { ...store.get().guess, ...change } });
  const here = () => Math.max(momentOf({ ...store.get(), preview: null }).index, 0);
  const change = (made, ...details) => store.set(made(store.get(), here(), ...details));
  const toField = () => field.focus({ preventScroll: true });

  function enter() {
    if (store.get().guess.on) return;
    store.set({ ...paired(store.get(), -1), region: null, ranked: false, pointed: null, coverage: false, preview: null });
    set({ on: true });
    go(Math.max(firstUnguessed(store.get()), 0));
    toField();
  }

  const leave = () => store.get().guess.on && set({ on: false, cursor: null });
  const toggle = () => (store.get().guess.on ? leave() : enter());

  // Enter: the side has guessed, or the next word.
  function advance() {
    const state = store.get();
    if (!isGuessable(state)) return;
    if (!roundAt(state, here()).found) return change(settled);
    set({ cursor: null });
    go(here() + 1);
  }

  function move([down, right]) {
    const { guess, data } = store.get();
    const [rows, columns] = data.grid;
    const at = guess.cursor || { row: Math.floor(rows / 2), column: Math.floor(columns / 2) };
    const within = (place, size) => Math.min(Math.max(place, 0), size - 1);
    set({ cursor: guess.cursor ? { row: within(at.row + down, rows), column: within(at.column + right, columns) } : at });
  }

  // Mark the cells at a place; the first one says whether a drag marks or unmarks.
  function touch(cell, reach) {
    const state = store.get();
    const at = cell.row * state.data.grid[1] + cell.column;
    const round = roundAt(state, here());
    if (marks === null) marks = !round.cells[round.turn].includes(at);
    change(guessed, brush(cell, state.data.grid, reach), marks);
  }

  function mark() {
    const { guess } = store.get();
    if (!guess.cursor) return move([0, 0]);
    marks = null;
    touch(guess.cursor, 0);
    marks = null;
  }

  const reachOf = (event) => (event.pointerType === 'touch' ? FINGERTIP : 0);
  field.addEventListener('pointerdown', (event) => {
    const cell = stage.cellAt(event);
    if (!cell || event.button !== 0) return;
    field.setPointerCapture(event.pointerId);
    set({ cursor: null });
    marks = null;
    touch(cell, reachOf(event));
  });
  field.addEventListener('pointermove', (event) => {
    const cell = marks !== null && stage.cellAt(event);
    if (cell) touch(cell, reachOf(event));
  });
  for (const name of ['pointerup', 'pointercancel']) field.addEventListener(name, () => (marks = null));

  start.addEventListener('click', toggle);
  close.addEventListener('click', toggle);
  next.addEventListener('click', advance);
  two.addEventListener('click', () => set({ sides: store.get().guess.sides === 1 ? SIDES.length : 1 }));
  anew.addEventListener('click', () => {
    set({ played: NO_GUESS.played, cursor: null });
    go(0);
  });
  section.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button && !button.matches(':focus-visible') && store.get().guess.on) toField();
  });
  photo.addEventListener('focus', () => store.get().guess.on && toField());

  // Keys are the guess's, but where one types, and on a button that one came to by keys.
  document.addEventListener('keydown', (event) => {
    const { guess, live } = store.get();
    if (!guess.on || isShowing(live) || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest(TYPING + ', input, [role="tab"]')) return;
    const button = event.target.closest('button, a, summary');
    if (button && button.matches(':focus-visible') && (event.key === ' ' || event.key === 'Enter')) return;
    if (MOVES[event.key]) move(MOVES[event.key]);
    else if (event.key === ' ') mark();
    else if (event.key === 'Enter') advance();
    else if (event.key === 'Escape' && !store.get().lecture) leave();
    else return;
    event.preventDefault();
  });

  function findingLine({ share, chance, points }, side, count, total) {
    const item = make('li');
    const line = say('guessFound', { share: percent(share), count, total, chance: percent(chance) });
    if (store.get().guess.sides > 1) item.append(make('span', 'sat-guess-side sat-guess-' + side, SIDES[side]), ' ');
    item.append(make('span', '', line), ' ', make('strong', '', pointsInWords(points)));
    return item;
  }

  function sumLine(each, side) {
    const item = make('li');
    const line = say(each.words ? 'guessSum' : 'guessNone', { words: each.words, count: store.get().words.length, share: percent(each.share), chance: percent(each.chance) });
    if (store.get().guess.sides > 1) item.append(make('span', 'sat-guess-side sat-guess-' + side, SIDES[side]), ' ');
    item.append(make('span', '', line), ' ', make('strong', '', pointsInWords(each.points)), ' ', make('span', 'sat-note', say('guessTotal', { points: pointsInWords(each.total) })));
    return item;
  }

  function asked(state, word, at) {
    if (!isGuessable(state)) return say('guessWait');
    const values = { word: nameOf(word), number: at + 1, count: state.words.length, side: SIDES[roundAt(state, at).turn] };
    if (roundAt(state, at).found) return say('guessShown', values);
    return say(state.guess.sides > 1 ? 'guessAskSide' : 'guessAsk', values);
  }

  function nextName(state, round, at) {
    if (round.found) return at + 1 < state.words.length ? say('guessNext') : say('guessOver');
    return say(round.turn + 1 < state.guess.sides ? 'guessPass' : 'guessReveal');
  }

  // Of the sides, only the one whose turn it is sees its marks, until the map is shown.
  function drawCells(round, [rows, columns], sides) {
    const seen = (side) => side < sides && (round.found || side === round.turn);
    const marked = round.cells.map((each, side) => new Set(seen(side) ? each : []));
    if (cells.childElementCount !== rows * columns) {
      cells.style.setProperty('--columns', columns);
      cells.replaceChildren(...Array.from({ length: rows * columns }, () => make('i')));
    }
    [...cells.children].forEach((cell, at) => marked.forEach((each, side) => cell.classList.toggle('sat-guess-' + side, each.has(at))));
    cells.classList.toggle('sat-guess-shown', Boolean(round.found));
  }

  function show(state, at) {
    const { guess, data, words } = state;
    const round = roundAt(state, at);
    const guessable = isGuessable(state);
    drawCells(round, data.grid, guess.sides);
    setText(question, asked(state, words[at], at));
    const count = round.cells[round.turn].length;
    const all = data.grid[0] * data.grid[1];
    found.replaceChildren(...(round.found || []).map((each, side) => findingLine(each, side, round.cells[side].length, all)));
    if (guessable && !round.found) found.append(make('li', 'sat-note', say('guessMarked', { count, total: all, chance: percent(count / all) })));
    sums.replaceChildren(...tally(state).map(sumLine));
    setText(next, nextName(state, round, at));
    next.disabled = !guessable || (round.found ? at + 1 >= words.length : !count);
    field.setAttribute('aria-label', say('guessField'));
  }

  function spoken({ guess, data, words }) {
    if (!guess.cursor) return '';
    const { row, column } = guess.cursor;
    const round = roundAt({ guess, words }, here());
    const marked = round.cells[round.turn].includes(row * data.grid[1] + column);
    return say(marked ? 'guessCellMarked' : 'guessCell', { row: row + 1, column: column + 1 });
  }

  store.subscribe(['guess', 'words', 'data'], ({ guess }) => {
    section.hidden = field.hidden = !guess.on;
    root.classList.toggle('sat-guessing', guess.on);
    photo.tabIndex = guess.on ? -1 : 0;
    press(start, guess.on);
    press(two, guess.sides > 1);
  });
  // Nothing plays while one guesses.
  store.subscribe(['guess', 'playing'], ({ guess, playing }) => guess.on && playing && store.set({ playing: false }));
  store.subscribe(['guess', 'words'], (state) => {
    const { guess, data } = state;
    outline(cursor, guess.cursor && [guess.cursor.row, guess.cursor.column, guess.cursor.row, guess.cursor.column], data.grid);
    setText(section.querySelector('.sat-guess-spoken'), spoken(state));
  });

  return {
    show(moment, state) {
      const secret = isSecret(state, moment);
      root.classList.toggle('sat-secret', secret);
      if (!state.guess.on) return;
      const at = here();
      const key = JSON.stringify([at, state.data.run, state.chosen, state.data.done, roundAt(state, at), tally(state), state.guess.sides]);
      if (key === shown) return;
      shown = key;
      show(state, at);
    },
    enter,
    leave,
  };
}

function firstUnguessed(state) {
  return state.words.findIndex((none, at) => !roundAt(state, at).found);
}
