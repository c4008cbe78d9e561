// Why captions stand in their order, as a reader is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { arithmetic, bars, mark, rankedScore, rule, wordCount } from '../../demo/static/model/standing.js';

const caption = (score, more = {}) => {
  const { log_prob = -6, repeats = false, words = 4, penalty = 0.5, ...rest } = more;
  return { log_prob, origin: 'search', rank: { score, words, penalty, repeats }, ...rest };
};

test('no bar is shorter than that of a lower score, and the highest is full', () => {
  const scores = [-2, -2.5, -4, -1.5];
  const lengths = bars(scores.map((each) => caption(each)));
  assert.equal(Math.max(...lengths), lengths[3]);
  assert.equal(lengths[3], 1);
  scores.forEach((score, at) => assert.ok(Math.abs(lengths[at] - Math.exp(score + 1.5)) < 1e-12));
});

test('a sentence that has no score has no bar', () => {
  assert.deepEqual(bars([caption(-2), caption(null)]), [1, 0]);
  assert.deepEqual(bars([caption(null)]), [0]);
  assert.equal(rankedScore(caption(null)), '–');
  assert.equal(arithmetic(caption(null, { log_prob: null })), 'no total');
});

test('a score is shown with its arithmetic, and is not computed here', () => {
  assert.equal(arithmetic(caption(-3)), '−6.00 ∕ 4^0.5 = −3.000');
  assert.equal(arithmetic(caption(-9)), '−6.00 ∕ 4^0.5 = −9.000', 'what Python said');
  assert.deepEqual([wordCount(caption(-3)), rankedScore(caption(-3))], ['4 words', 'score −3.000']);
});

test('what repeats itself is marked, answers are named by their question', () => {
  assert.equal(mark(caption(-3)), '');
  assert.equal(mark(caption(-3, { repeats: true })), 'Says a content word twice: put last');
  assert.equal(mark(caption(-3, { repeats: true, origin: 'hide', conditions: [['hide', -1, '']] })), 'with a place hidden');
});

test('the rule names the penalty, and repetition only where the search asks for it', () => {
  assert.match(rule(caption(-3)), /words\^0\.5.*content word twice.*e\^score/);
  assert.doesNotMatch(rule(caption(-3, { repeats: null })), /twice/);
});
