// What is explained: the paper's equations of one step, as cards (a name, a formula, a number, what goes into it); the parts
// from photo to word; and the words of the glossary, where they stand in a text.
import { sumOf } from './maps.js';
import { say } from './strings.js';
import { percent, signed } from './wording.js';

const FORMULAS = {
  energy: 'eᵢ = w · f(Wₐ aᵢ + Wₕ hₜ₋₁)',
  alpha: 'αᵢ = exp eᵢ ∕ Σⱼ exp eⱼ',
  context: 'z = Σᵢ αᵢ aᵢ',
  gate: 'ẑ = β z',
  lstm: 'hₜ = LSTM([E yₜ₋₁, ẑ], hₜ₋₁)',
  softmax: 'p(yₜ) = exp o(yₜ) ∕ Σ exp o',
};

// The paper's equations, each with its number and what goes into it.
export function equations(numbers, { row, column }) {
  const energies = numbers.energies.flat();
  const highest = Math.max(...energies);
  const energy = numbers.energies[row][column];
  const total = highest + Math.log(sumOf(energies.map((each) => Math.exp(each - highest))));
  const alpha = numbers.alpha[row][column];
  const own = Math.exp(energy - total);
  const place = { row: row + 1, column: column + 1 };
  const isForced = Math.abs(own - alpha) > 1e-4 + 1e-2 * alpha;
  const written = numbers.words.find(([text]) => text === numbers.word);
  const fixed = (number, digits) => signed(number.toFixed(digits));
  const { input, forget, cell, output } = numbers.gates;
  const lines = {
    energy: [fixed(energy, 2), say('energyLine', { ...place, highest: fixed(highest, 2) })],
    alpha: [percent(alpha, 2), isForced ? say('alphaForced', { own: percent(own, 2) })
      : say('alphaLine', { energy: fixed(energy, 2), total: fixed(total, 2) })],
    context: [percent(numbers.shares[row][column], 2), say('contextLine', { length: fixed(numbers.context_norm, 2) })],
    gate: ['β = ' + fixed(numbers.beta, 2), say('gateNumbers', {
      from: fixed(numbers.context_norm, 2), to: fixed(numbers.gated_norm, 2) })],
    lstm: [say('gatesLine', { input: fixed(input, 2), forget: fixed(forget, 2), output: fixed(output, 2) }),
      say('lstmLine', { word: numbers.previous, cell: fixed(cell, 2) })],
    softmax: [percent(written[2], 1), say('softmaxLine', {
      word: numbers.word, logit: fixed(written[1], 2), total: fixed(numbers.log_normalizer, 2) })],
  };
  return Object.entries(lines).map(([name, [value, meaning]]) => [name, FORMULAS[name], value, meaning]);
}

// What alpha itself tells, on a page that nobody serves: energies are known up to a constant, since alpha is their
// softmax; the context's length and the LSTM's gates are not.
export function knownAlready(word, before, { row, column }, grid) {
  const weight = word.alpha[row * grid[1] + column];
  const energy = weight > 0 ? signed(Math.log(weight / word.peak).toFixed(2)) : '−∞';
  const place = { row: row + 1, column: column + 1 };
  const text = word.end ? '<end>' : word.text;
  return [
    ['energy', FORMULAS.energy, energy, say('energyBelow', place)],
    ['alpha', FORMULAS.alpha, percent(weight, 2), say('alphaCell')],
    ['gate', FORMULAS.gate, 'β = ' + word.gate.toFixed(2), say('gateLine')],
    ['lstm', FORMULAS.lstm, before ? before.text : '<start>', say('wordBefore')],
    ['softmax', FORMULAS.softmax, percent(word.chance, 1), say('probabilityOf', { word: text })],
  ];
}

// The parts a photo goes through to become words, and which of them is at work.
// ``formulas``: of each part the paper's, see captioner/equations.py for the same step in numbers.
export const PARTS = [
  { name: 'photo', formulas: ['a = CNN(photo)'] },
  { name: 'annotations', formulas: ['a = {a₁, …, a_L},  aᵢ ∈ ℝᴰ'] },
  { name: 'attention', formulas: [FORMULAS.energy, FORMULAS.alpha, FORMULAS.context] },
  { name: 'lstm', formulas: [FORMULAS.gate, FORMULAS.lstm] },
  { name: 'word', formulas: [FORMULAS.softmax] },
];
const ONCE = 2; // parts that are passed once, before the first word

// The part that is lit: while the model looks, the photo; then each word's time is shared by its parts, the first word's by
// all of them; at rest the word. -1 while there is nothing. The shares are of playback's time, not of the model's.
export function litPart({ phase, words, playing, step }, position) {
  if (phase === 'looking') return 0;
  if (!words.length || step < 0) return -1;
  if (!playing) return PARTS.length - 1;
  const first = step === 0 ? 0 : ONCE;
  const within = Math.min(Math.max(position - step, 0), 0.999);
  return first + Math.floor(within * (PARTS.length - first));
}

// --- the glossary

const HANGUL = /\p{Script=Hangul}/u;

function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

// No part of a longer word is one, and none in quotes: that is the model's. In Korean a particle may follow.
function bounded(form) {
  return HANGUL.test(form) ? escaped(form) : escaped(form) + '(?!\\p{L})';
}

// ``glossary``: of each name the ``forms`` in which it is written. A pattern with a group for each name.
export function forms(glossary) {
  const names = Object.keys(glossary);
  const groups = names.map((name) => '(' + [...glossary[name].forms].sort((one, other) => other.length - one.length).map(bounded).join('|') + ')');
  return { names, pattern: new RegExp('(?<![“\\p{L}-])(?:' + groups.join('|') + ')(?!”)', 'giu') };
}

// A text in pieces, each with the ``name`` of the word that it is; '' for what lies between.
export function termsIn(text, { names, pattern }) {
  const pieces = [];
  let from = 0;
  for (const found of text.matchAll(pattern)) {
    if (found.index > from) pieces.push({ text: text.slice(from, found.index), name: '' });
    pieces.push({ text: found[0], name: names[found.slice(1).findIndex(Boolean)] });
    from = found.index + found[0].length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), name: '' });
  return pieces;
}
