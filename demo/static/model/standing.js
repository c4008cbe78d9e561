// Why captions stand in their order: what the search ranked each by, as Python computed it.
import { say } from './strings.js';
import { answerName, isAnswer, signed } from './wording.js';

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
