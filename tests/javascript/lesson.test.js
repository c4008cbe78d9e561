// The lesson: what each step sets for a caption, and when its question has its answer.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  frame, isAnother, isAnswered, isGone, isWaiting, NO_LESSON, planOf, stepAsked, stepOf, STEPS, stillSent,
} from '../../demo/static/model/lesson.js';

const word = (text, chance, alpha, alternatives = []) => ({
  text, chance, alpha: Float32Array.from(alpha), peak: Math.max(...alpha), alternatives, end: text === '<end>' });

// 6 rows of 6 cells; everything lies in one.
const at = (row, column) => Array.from({ length: 36 }, (none, cell) => (cell === row * 6 + column ? 0.9 : 0.1 / 35));
const EVEN = Array(36).fill(1 / 36);

const WORDS = [
  word('a', 0.9, EVEN),
  word('black', 0.2, at(0, 0).map((weight) => weight / 2), [['<unk>', 0.4], ['black', 0.3], ['dog', 0.25], ['brown', 0.1]]),
  word('dog', 0.8, at(5, 5), [['dog', 0.8], ['cat', 0.1]]),
  word('<end>', 0.1, at(2, 2), [['<end>', 0.1]]),
];

function data(change = {}) {
  return { done: true, example: '', size: [4, 3], grid: [6, 6], captions: [{ words: WORDS, about: -1, asked: ['search'], origin: 'search' }], ...change };
}

const plan = (name, change) => planOf(STEPS.indexOf(name), data(change));

test('a step is found by its number, and every other number is brought to one', () => {
  assert.equal(stepAsked('?beam=3'), null);
  assert.deepEqual(['?lesson=1', '?lesson=9', '?lesson=0', '?lesson=400', '?lesson=x', '?lesson='].map(stepAsked), [0, 8, 0, 8, 0, 0]);
  assert.equal(stepOf(null), 0);
});

test('the word that it was least sure of is questioned, and the likeliest other word is put in its place', () => {
  assert.equal(plan('chances').position, 1, 'the end is no word to question');
  assert.deepEqual(plan('word').ask, { index: 0, keep: false, kind: 'word', position: 1, region: null, word: 'dog' });
  assert.equal(plan('word').word.text, 'black');
});

test('with no other word to say, nothing is asked', () => {
  const alone = [word('a', 0.9, EVEN, [['a', 0.9]]), word('<end>', 0.9, EVEN)];
  assert.equal(plan('word', { captions: [{ words: alone }] }).ask, null);
});

test('the frame holds most of the sharpest word’s map, or least of it', () => {
  assert.deepEqual(plan('hide').region, [1, 1, 5, 5]);
  assert.equal(plan('hide').position, 2);
  assert.deepEqual(plan('who').region, plan('hide').region);
  assert.deepEqual(plan('place').region, [0, 0, 4, 4]);
  assert.deepEqual(plan('place').ask, { index: 0, keep: false, kind: 'place', position: 2, region: [0, 0, 4, 4] });
});

test('of every frame the one that holds most is found, by adding up all', () => {
  const alpha = Float32Array.from({ length: 42 }, (none, cell) => ((cell * 29) % 41) / 41);
  const held = (top, left) => {
    let sum = 0;
    for (let row = top; row < top + 5; row++) for (let column = left; column < left + 5; column++) sum += alpha[row * 7 + column];
    return sum;
  };
  const sums = [0, 1].flatMap((top) => [0, 1, 2].map((left) => [held(top, left), top, left])).sort(([one], [other]) => other - one);
  assert.deepEqual(frame(alpha, [6, 7], 1).slice(0, 2), sums[0].slice(1));
  assert.deepEqual(frame(alpha, [6, 7], -1).slice(0, 2), sums[5].slice(1));
  assert.deepEqual(frame(Float32Array.from([0.1, 0.9]), [1, 2], 1), [0, 0, 0, 1], 'a grid that is smaller is all of it');
});

test('a caption of no words can be gone through', () => {
  for (const [step] of STEPS.entries()) assert.equal(planOf(step, data({ captions: [{ words: WORDS.slice(3) }] })).position, 0);
});

test('another photo or other words are another caption; a map that differs in its last bits is not', () => {
  const lesson = { ...NO_LESSON, on: true, plan: plan('hide') };
  assert.equal(isAnother({ ...lesson, plan: null }, data()), true);
  assert.equal(isAnother(lesson, data()), false);
  const again = WORDS.map((each) => ({ ...each, alpha: each.alpha.map((weight) => weight * 1.00001) }));
  assert.equal(isAnother(lesson, data({ captions: [{ words: again }] })), false);
  assert.equal(isAnother(lesson, data({ captions: [{ words: WORDS.slice(1) }] })), true);
  assert.equal(isAnother(lesson, data({ size: [3, 4] })), true);
  assert.equal(isAnother({ ...lesson, plan: null }, data({ done: false })), false, 'not while it is being written');
  assert.equal(isAnother({ ...lesson, plan: null }, data({ captions: [] })), false);
});

test('the same caption of a new search is another, one with an answer beside it is not', () => {
  const lesson = { ...NO_LESSON, on: true, plan: plan('hide', { run: 3 }) };
  const answer = { words: WORDS, about: 0, asked: ['uniform'], origin: 'uniform' };
  assert.equal(isAnother(lesson, data({ run: 3 })), false);
  assert.equal(isAnother(lesson, data({ run: 4 })), true);
  assert.equal(isAnother(lesson, data({ run: 4, captions: [...data().captions, answer] })), false);
});

test('a plan is gone while the next caption is on its way', () => {
  const lesson = { ...NO_LESSON, on: true, plan: plan('hide') };
  assert.equal(isGone(lesson, data()), false);
  assert.equal(isGone(lesson, data({ done: false })), true);
  assert.equal(isGone(lesson, data({ captions: [] })), true);
  assert.equal(isGone({ ...lesson, plan: null }, data({ done: false })), false);
});

test('an answer to the step’s kind of question that plays is its answer, another place’s too', () => {
  const answer = (origin) => data({ captions: [...data().captions, { words: WORDS, about: 0, asked: [origin], origin }] });
  const hidden = { ...NO_LESSON, on: true, plan: plan('hide') };
  assert.equal(isAnswered(hidden, answer('hide'), 1), true);
  assert.equal(isAnswered(hidden, answer('hide'), 0), false, 'the model’s own caption plays');
  assert.equal(isAnswered(hidden, answer('uniform'), 1), false);
  assert.equal(isAnswered({ ...hidden, plan: plan('own') }, answer('own'), 1), true);
  assert.equal(isAnswered({ ...hidden, plan: plan('who') }, answer('hide'), 1), false, 'it asks nothing');
  assert.equal(isAnswered({ ...hidden, plan: null }, answer('hide'), 1), false);
});

test('what was asked is waited for by its own step, until it is there or the caption is another', () => {
  const [hide, uniform] = ['hide', 'uniform'].map((name) => plan(name));
  assert.equal(isWaiting({ plan: hide, sent: null }), false);
  assert.equal(isWaiting({ plan: hide, sent: plan('hide') }), true);
  assert.equal(isWaiting({ plan: uniform, sent: hide }), false);
  const there = data({ captions: [...data().captions, { words: WORDS, about: 0, asked: ['hide', 1, 1, 5, 5], origin: 'hide' }] });
  assert.equal(stillSent({ sent: hide }, data()), hide);
  assert.equal(stillSent({ sent: hide }, there), null);
  assert.equal(stillSent({ sent: hide }, data({ example: 'Corgi' })), null);
  assert.equal(stillSent({ sent: null }, data()), null);
});
