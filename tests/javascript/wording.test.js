// Numbers as a reader is told of them: what is shown adds up; and why captions stand in their order.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  arithmetic, bars, gain, mark, nats, percent, pointsBetween, rankedScore, rule, signed, wordCount,
} from '../../demo/static/model/wording.js';

const shown = (text) => Number(text.replace(' %', '').replace('−', '-'));

test('points are the difference of the figures that stand beside them', () => {
  assert.deepEqual([percent(0.934), percent(0.796), gain(0.934, 0.796)], ['93 %', '80 %', '−13']);
  assert.equal(gain(0.5, 0.55), '+5');
  assert.equal(gain(0.096, 0.12), '+2.4');
  assert.equal(gain(0.0031, 0.0029), '0.0');
  assert.equal(gain(0.501, 0.499), '0');
  for (let before = 0; before <= 1; before += 0.0173) {
    for (let after = 0; after <= 1; after += 0.0191) {
      const difference = shown(percent(after)) - shown(percent(before));
      assert.ok(Math.abs(shown(gain(before, after)) - difference) < 1e-9, `${before} ${after}`);
      assert.ok(Math.abs(pointsBetween(before, after) - difference) < 1e-9);
    }
  }
});

test('numbers are written with a true minus, and zero without', () => {
  assert.deepEqual(['-1.5', '-0.0', '-0', '-0.01', '2'].map(signed), ['−1.5', '0.0', '0', '−0.01', '2']);
  assert.deepEqual([percent(0.5), percent(0.05), percent(0.1234, 2)], ['50 %', '5.0 %', '12.34 %']);
  assert.deepEqual([gain(0.01, 0.06), gain(0.5, 0.3), gain(0.02, 0.0201), gain(0.0201, 0.02)], ['+5.0', '−20', '0.0', '0.0']);
  assert.equal(nats(Math.exp(-2)), '−2.00');
});

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
