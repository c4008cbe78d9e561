// Numbers, words, maps and captions as a reader is told of them, and why captions stand in their order.
import { mainPlace } from './maps.js';
import { say } from './strings.js';

// A share; of a word that the model does not know there is none (null).
export function percent(share, digits) {
  if (share === null) return '–';
  return figure(share, digits) + ' %';
}

// The figure that is shown of a share: a tenth of a point below 10 %.
function figure(share, digits = share < 0.1 ? 1 : 0) {
  return (100 * share).toFixed(digits);
}

// The log-probability of a word, in nats.
export function nats(probability) {
  return signed(Math.log(probability).toFixed(2));
}

// A minus sign, not a hyphen; and no minus before zero.
export function signed(number) {
  return /^-0(\.0*)?$/.test(number) ? number.slice(1) : number.replace('-', '−');
}

// Percentage points from one share to another: the difference of the two figures that are shown of them.
export function pointsBetween(before, after) {
  return Number((figure(after) - figure(before)).toFixed(1));
}

// These with their sign, as exact as the more exact of the two figures.
export function gain(before, after) {
  const points = pointsBetween(before, after);
  const tenths = [before, after].some((share) => figure(share).includes('.'));
  return (points > 0 ? '+' : '') + signed(points.toFixed(tenths ? 1 : 0));
}

// Points as they are told, with their sign.
export function pointsInWords(points) {
  return say('points', { points: (points > 0 ? '+' : '') + signed(String(points)) });
}

export function sentence(words) {
  return words.filter((word) => !word.end).map((word) => word.text).join(' ');
}

export function nameOf(word) {
  return word.end ? say('end') : word.text;
}

export function wordName(text) {
  return text === '<end>' ? '■ ' + say('end') : text;
}

// How like the photos of its training the model finds this one, once it has written; nothing where that is not known.
export function familiarity({ familiar, done }) {
  if (!done || !familiar || !familiar.level) return '';
  return say('familiar')[familiar.level].replace('{share}', percent(familiar.stranger, 0));
}

// A map in words: where most of the attention is, and how much.
export function mapDescription(word, grid) {
  const { ninth, share } = mainPlace(word.alpha, grid[0], grid[1]);
  return say('map', { word: nameOf(word), place: say('places')[ninth], share: percent(share, 0) });
}

// What a caption is called: by its settings, or by what was asked.
export function settingsName([beam, temperature, seed]) {
  return say(temperature > 0 ? 'drawnName' : 'beamName', { beam, temperature, seed });
}

function originName(caption) {
  if (caption.origin === 'settings') return settingsName(caption.settings);
  return say('origins')[caption.origin] || '';
}

// Whether a question brought it; else the search found it.
export function isAnswer({ origin }) {
  return Boolean(origin) && origin !== 'search';
}

// Whether a next question can be asked under what was changed for it.
export function isKeepable({ origin }) {
  return origin === 'word' || origin === 'hide';
}

// The words said and the places hidden for a caption, each as (origin, position, word).
export function conditionsInWords(conditions) {
  return conditions.map(([origin, position, word]) => say('conditions')[origin]
    .replace('{number}', position + 1).replace('{word}', () => nameOf({ text: word, end: word === '<end>' }))).join(', ');
}

// A caption's name with what was kept when it was asked for.
export function underConditions(conditions, name) {
  return conditions.length ? say('keptName', { kept: conditionsInWords(conditions), name }) : name;
}

// What an answer is called in the list.
export function answerName(caption) {
  if (!isAnswer(caption)) return '';
  const { conditions } = caption;
  return underConditions(isKeepable(caption) ? conditions.slice(0, -1) : conditions, originName(caption));
}

// How likely a word of a caption is; one of the visitor's that the model does not know has no number.
export function chanceInWords(word, caption) {
  return word.chance === null ? unknownInWords(caption.unknown) : percent(word.chance);
}

function unknownInWords({ known }) {
  return say('unknownWord', { count: known.toLocaleString('en') });
}

// The log-probability of a caption, if it has one.
export function score(caption) {
  if (caption.log_prob === null) return say('noTotal');
  return say('nats', { nats: signed(caption.log_prob.toFixed(1)) });
}

// --- the order of captions: what the search ranked each by, as Python computed it

// The bar of each: e to the power of its score, the highest one full; none of a sentence that has no score.
export function bars(captions) {
  const scores = captions.map(({ rank }) => rank.score ?? -Infinity);
  const best = Math.max(...scores);
  return scores.map((each) => (each > -Infinity ? Math.exp(each - best) : 0));
}

// As many as the score counts.
export function wordCount({ rank }) {
  return say('wordCount', { count: rank.words });
}

export function rankedScore({ rank }) {
  return rank.score === null ? '–' : say('score', { score: written(rank.score, 3) });
}

// How a caption's score comes about.
export function arithmetic({ log_prob: total, rank }) {
  if (rank.score === null) return say('noTotal');
  return `${written(total, 2)} ∕ ${rank.words}^${rank.penalty} = ${written(rank.score, 3)}`;
}

// What is to be said of a caption besides: which question it answers, or that its score alone does not give its place.
export function mark(caption) {
  if (isAnswer(caption)) return answerName(caption);
  return caption.rank.repeats ? say('putLast') : '';
}

// The rule of the order, for all that a search found.
export function rule({ rank }) {
  const parts = [say('rankRule', { penalty: rank.penalty }), rank.repeats === null ? '' : say('rankRepeats'), say('rankBars')];
  return parts.filter(Boolean).join(' ');
}

function written(number, digits) {
  return signed(number.toFixed(digits));
}
