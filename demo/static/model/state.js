// The one store of what the page shows, what follows from it, and the changes that visitors and messages make.
import { NO_GUESS } from './guess.js';
import { NO_LESSON } from './lesson.js';
import { LIVE_OFF } from './live.js';
import { colourTable, coverageOf } from './maps.js';
import { unfold } from './messages.js';
import { isAnswer, isKeepable } from './wording.js';

const QUESTIONS = ['word', 'place', 'hide', 'uniform', 'own', 'settings'];

// A value that is replaced, never changed. ``set`` takes the fields that change; those who subscribed to one of them are
// told at once, in the order they came, with the newest value and the one before. Who names no field hears of all.
export function createStore(first) {
  const listeners = [];
  let state = Object.freeze({ ...first });

  return {
    get: () => state,
    set(change) {
      const before = state;
      const changed = Object.keys(change).filter((name) => !Object.is(change[name], before[name]));
      if (!changed.length) return;
      state = Object.freeze({ ...before, ...change });
      for (const { names, listener } of listeners) {
        if (!names || changed.some((name) => names.includes(name))) listener(state, before);
      }
    },
    subscribe(names, listener) {
      listeners.push({ names, listener });
    },
  };
}

export function firstState(looks) {
  const look = { mode: 'heat', smooth: true, opacity: looks.opacity, scale: 'word' };
  return {
    data: { run: -1, words: [], grid: [14, 14], done: false, captions: [] }, // the last message that held everything
    phase: 'empty',
    ahead: 0, // in the line for the model
    words: [], // of the caption that plays
    others: [], // of the one beside it
    chosen: 0, // of the captions found
    companion: -1, // the one that plays in step beside it
    keep: false, // the next question is asked under what was changed for it
    step: -1, // the word that plays
    playing: false,
    speed: 1,
    loop: false,
    preview: null, // a word pointed at
    region: null, // cells of the photo that are chosen: top, left, bottom, right
    ranked: false, // who looked there is shown
    pointed: null, // the cell that is pointed at: row, column, and whether by keys
    coverage: false,
    lecture: false,
    revealed: null, // the place of the equation that a lecture has come to; all are shown
    tied: null, // the equation that is pointed at
    looking: false, // how maps are drawn can be chosen in a lecture
    live: LIVE_OFF, // the camera, see live.js
    guess: NO_GUESS, // where the model will look, see guess.js
    lesson: NO_LESSON, // see lesson.js
    numbers: null, // of a step's equations, the last that came
    question: 'word', // the one that is open
    untitled: false, // the comparison answers none of these questions
    look,
    looks, // how maps are drawn, see captioner/render/looks.py
    table: colourTable(looks, look.mode, look.opacity),
  };
}

export function captionOf({ data, chosen }) {
  return data.captions[chosen];
}

// The caption whose change can be kept: the one that plays, if a word was said or a place hidden for it, or the one that
// it is about, if that was kept already. -1 if there is none, or no comparison that says so.
export function keepableOf(state) {
  const caption = captionOf(state);
  if (!caption || !isAnswer(caption) || !state.others.length) return -1;
  if (isKeepable(caption)) return state.chosen;
  return caption.conditions.length ? caption.about : -1;
}

// The caption that the next question is about: one that the search found, the best unless another plays; or the one whose
// change is kept.
export function askedAbout(state) {
  const caption = captionOf(state);
  if (!caption || !isAnswer(caption)) return state.chosen;
  return state.keep ? keepableOf(state) : 0;
}

// Its words, the leading guess's while nothing is found.
export function askedWords(state) {
  const caption = state.data.captions[askedAbout(state)];
  return caption ? caption.words : state.words;
}

// The run, the caption and the place of the word that a question is asked about.
export function askedPlace(state) {
  const position = Math.min(state.step, askedWords(state).length - 1);
  return { run: state.data.run, index: askedAbout(state), position };
}

// The word at a place, or the last one of a caption that is shorter.
export function wordAt({ words }, step) {
  return words[Math.min(step, words.length - 1)];
}

export function countOf({ words, others }) {
  return Math.max(words.length, others.length);
}

// The weight at which a word's scale of colours ends.
export function topOf({ looks, look, words, others }, word) {
  if (look.scale === 'word') return Math.max(word.peak, looks.sharpest / word.alpha.length);
  return [...words, ...others].reduce((top, each) => Math.max(top, each.peak), 1e-6);
}

// The word of the moment: the one that plays, or the one pointed at. ``at`` is its place, ``index`` within this caption.
export function momentOf(state) {
  const { words, preview, step } = state;
  const previewed = preview !== null && preview < countOf(state);
  const at = previewed ? preview : step;
  const index = Math.min(at, words.length - 1);
  return { at, index, word: words[index], previewed, summed: state.coverage && !previewed };
}

// What a caption's map shows at a moment: the map of its word, or of all words, and the weight at which its scale ends;
// and the same of the ``next`` one, which it moves on to. Null if there is no word.
export function mapOf(state, words, { at, previewed, summed }) {
  const index = Math.min(at, words.length - 1);
  const word = words[index];
  if (!word) return null;
  if (summed) {
    const alpha = coverageOf(words);
    return { alpha, top: Math.max(...alpha), next: null };
  }
  const next = index === at && !previewed && words[index + 1];
  return { alpha: word.alpha, top: topOf(state, word), next: next ? { alpha: next.alpha, top: topOf(state, next) } : null };
}

// The change that a message makes; null if it comes too late or is of another version. Every message holds everything
// but ``asking``: the model works on an answer, and the page keeps what it has; and ``lost``: the server has not.
export function received(state, sent, version) {
  if (!sent) return null;
  const [{ run, phase, ahead, version: its }] = sent;
  if (run < state.data.run || its !== version) return null;
  return phase === 'asking' || phase === 'lost' ? { phase, ahead } : opened(state, unfold(sent));
}

// A message that holds everything. A new run clears the page; what is kept stays so for an answer that was asked under it.
function opened(state, value) {
  const news = { data: value, phase: value.phase, ahead: value.ahead };
  if (value.run === state.data.run) return withWords(state, news);
  return withWords(state, { ...news, ...begun(state, value.captions, value.chosen || 0, value.beside ?? -1) });
}

// What a caption begins with that a run has brought.
function begun({ keep }, captions, chosen, companion) {
  const answer = captions[chosen];
  const kept = keep && Boolean(answer) && isAnswer(answer) && !isKeepable(answer) && answer.conditions.length > 0;
  return { chosen, companion, keep: kept, preview: null, coverage: false, region: null, ranked: false };
}

// An answer that is there, as if it had come just now.
export function cameBack(state, index) {
  return withWords(state, begun(state, state.data.captions, index, originalOf(state.data, index)));
}

// Another caption plays; if it was the one beside, the two change places. An answer stands beside what it is about.
export function chose(state, index) {
  const companion = state.companion < 0 ? -1 : beside(state, index);
  const change = withWords(state, { chosen: index, companion });
  const keep = state.keep && keepableOf({ ...state, ...change }) === keepableOf(state);
  return { ...change, keep };
}

function beside({ data, chosen, companion }, index) {
  if (isAnswer(data.captions[index])) return originalOf(data, index);
  if (index === companion) return chosen;
  const other = data.captions[companion];
  if (!isAnswer(other) || other.about === index) return companion;
  return index === 0 ? -1 : 0;
}

// The caption that an answer is about; the model's own where that is no longer kept.
function originalOf({ captions }, index) {
  return Math.max(captions[index].about, 0);
}

// The chosen caption and another one side by side, or (-1) no longer.
export function paired(state, companion) {
  return withWords(state, { companion, keep: state.keep && companion >= 0 });
}

export function pairToggled(state) {
  const { data, chosen, companion } = state;
  if (companion >= 0 || data.captions.length < 2) return paired(state, -1);
  if (isAnswer(data.captions[chosen])) return paired(state, originalOf(data, chosen));
  return paired(state, chosen === 0 ? 1 : 0);
}

export function coverageToggled({ coverage, words, playing }) {
  const wanted = !coverage && words.length > 0;
  return { coverage: wanted, playing: playing && !wanted };
}

export function looked(state, change) {
  const look = { ...state.look, ...change };
  return { look, table: colourTable(state.looks, look.mode, look.opacity) };
}

// A question opens, and holds the answer.
export function openedQuestion(question) {
  return QUESTIONS.includes(question) ? { question, untitled: false } : {};
}

// A change with the words that it brings, and the question that the comparison answers.
function withWords(state, change) {
  const { data, chosen, companion } = { ...state, ...change };
  const [caption, other] = [data.captions[chosen], data.captions[companion]];
  const words = caption ? caption.words : data.words; // the leader's while nothing is found
  if (!caption || !other) return { ...change, words, others: [] };
  const answer = [caption, other].find(isAnswer);
  const title = answer && QUESTIONS.includes(answer.origin) ? openedQuestion(answer.origin) : { untitled: true };
  return { ...change, words, others: other.words, ...title };
}
