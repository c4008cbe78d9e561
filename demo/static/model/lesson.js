// The lesson: ten minutes with a class, a step at a time. Of each step, what it sets on the page and what it asks of the
// model.
import { shareIn } from './maps.js';
import { answerThere } from './messages.js';
import { isAnswer } from './wording.js';

// The names of the steps; their words are in strings.js.
export const STEPS = ['guess', 'chances', 'who', 'word', 'place', 'hide', 'uniform', 'own', 'end'];
export const PARAMETER = 'lesson'; // of the address: the number of a step, from 1 on

// ``step``: the place of the one that is open. ``plan``: what it has set, see `planOf`; null until there is a caption.
// ``sent``: the plan whose question was asked and has no answer yet, of this step or of one that was left meanwhile.
export const NO_LESSON = { on: false, step: 0, plan: null, sent: null };

const SIDE = 5; // cells, of a frame that a step draws
const NOT_SAID = ['<end>', '<unk>'];

// The step that an address opens at; null if it asks for none.
export function stepAsked(search) {
  const asked = new URLSearchParams(search).get(PARAMETER);
  return asked === null ? null : stepOf(asked);
}

// A step by its number as it was written down; the first one if it was not.
export function stepOf(number) {
  const step = /^\d+$/.test(number || '') ? Number(number) - 1 : 0;
  return Math.min(Math.max(step, 0), STEPS.length - 1);
}

// What a step sets for the caption that the search found first: the place of a word, a frame of cells or none, the question
// that opens, and the question that the model is asked or null. ``caption``: which caption that is.
export function planOf(step, data) {
  const { captions: [{ words }], grid } = data;
  const said = words.some(({ end }) => !end) ? words.filter(({ end }) => !end) : words;
  const unsure = least(said, ({ chance }) => chance ?? 1);
  const pointed = least(said, ({ peak }) => -peak);
  const { alpha } = words[pointed];
  const other = (words[unsure].alternatives.find(([text]) => text !== words[unsure].text && !NOT_SAID.includes(text)) || [])[0];
  const at = { index: 0, keep: false };
  const plans = {
    guess: { position: 0 },
    chances: { position: unsure },
    who: { position: pointed, region: frame(alpha, grid, 1) },
    word: { position: unsure, question: 'word', ask: other ? { ...at, kind: 'word', position: unsure, region: null, word: other } : null },
    place: { position: pointed, region: frame(alpha, grid, -1), question: 'place' },
    hide: { position: pointed, region: frame(alpha, grid, 1), question: 'hide' },
    uniform: { position: 0, question: 'uniform', ask: { ...at, kind: 'uniform', position: 0, region: null } },
    own: { position: 0, question: 'own' },
    end: { position: 0 },
  };
  const plan = { region: null, question: null, ask: null, run: data.run, caption: wordsOf(data), ...plans[STEPS[step]] };
  if (plan.region && plan.question) plan.ask = { ...at, kind: plan.question, position: plan.position, region: plan.region };
  return { ...plan, word: words[plan.position], other };
}

// Whether what the page shows is no longer what the step was set for: another photo, or another search. An answer is none.
export function isAnother({ plan }, data) {
  if (!data.done || !data.captions.length) return false;
  if (!plan || plan.caption !== wordsOf(data)) return true;
  return plan.run !== data.run && !data.captions.some(isAnswer);
}

// Whether the step waits for an answer to its own question.
export function isWaiting({ plan, sent }) {
  return Boolean(plan && sent) && JSON.stringify(plan.ask) === JSON.stringify(sent.ask);
}

// What is still waited for when the page has a caption to set the step for: of another caption, nothing.
export function stillSent({ sent }, data) {
  return sent && sent.caption === wordsOf(data) && answerThere(data, sent.ask) < 0 ? sent : null;
}

// Whether it was set for a caption that is no longer there, and the next one is not yet.
export function isGone({ plan }, data) {
  return Boolean(plan) && !(data.done && data.captions.length);
}

// The same words on the same photo; the maps of a search that is made once more may differ in their last bits.
function wordsOf({ example, size, captions: [{ words }] }) {
  return JSON.stringify([example, size, words.map(({ text }) => text)]);
}

// Whether an answer to the step's question plays, be it asked here or there, about this place or another.
export function isAnswered({ plan }, { captions }, chosen) {
  return Boolean(plan && plan.question && captions[chosen]) && captions[chosen].origin === plan.question;
}

// The square of cells that holds most of a map (``sign`` 1) or least of it (−1): top, left, bottom, right.
export function frame(alpha, [rows, columns], sign) {
  const [height, width] = [Math.min(SIDE, rows), Math.min(SIDE, columns)];
  let best = null;
  for (let top = 0; top + height <= rows; top++) {
    for (let left = 0; left + width <= columns; left++) {
      const region = [top, left, top + height - 1, left + width - 1];
      const held = sign * shareIn(alpha, region, [rows, columns]);
      if (!best || held > best.held) best = { held, region };
    }
  }
  return best.region;
}

// The place of what is least; the first one of several.
function least(values, of) {
  return values.reduce((best, value, at) => (of(value) < of(values[best]) ? at : best), 0);
}
