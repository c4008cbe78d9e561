// A guess of where the model will look: what lies in it, what chance would give, turns, and the tally.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  brush, chanceOf, findingOf, guessed, isSecret, NO_GUESS, painted, roundAt, settled, shareOf, tally,
} from '../../demo/static/model/guess.js';

const ALPHA = Float32Array.from([0.5, 0.25, 0.125, 0.125, 0, 0]);
const EVEN = Float32Array.from({ length: 6 }, () => 1 / 6);
const word = (text, alpha) => ({ text, alpha, map: text + 'map', end: false });

function playing(change = {}, guess = {}) {
  return {
    data: { done: true, grid: [3, 2] }, words: [word('a', EVEN), word('dog', ALPHA)], guess: { ...NO_GUESS, on: true, ...guess }, ...change };
}

// The state after some changes, each a function and what it is given.
function after(state, ...changes) {
  return changes.reduce((now, [change, ...details]) => ({ ...now, ...change(now, ...details) }), state);
}

test('the share is what lies in the cells, whatever the map sums to', () => {
  assert.equal(shareOf(ALPHA, [0, 2]), 0.625);
  assert.equal(shareOf(ALPHA.map((weight) => weight * 3), [0, 2]), 0.625);
  assert.equal(shareOf(ALPHA, []), 0);
  assert.equal(shareOf(ALPHA, [0, 1, 2, 3, 4, 5]), 1);
  assert.equal(chanceOf([0, 2], ALPHA), 1 / 3);
});

test('marking nothing, or everything, or an even map brings no points', () => {
  assert.equal(findingOf(ALPHA, []).points, 0);
  assert.equal(findingOf(ALPHA, [0, 1, 2, 3, 4, 5]).points, 0);
  assert.equal(findingOf(EVEN, [1, 4]).points, 0);
  assert.equal(findingOf(ALPHA, [0]).points, 33, 'the difference of the figures that are shown: 50 % and 17 %');
  assert.equal(findingOf(ALPHA, [4, 5]).points, -33);
});

test('cells are marked and unmarked, in order and each once', () => {
  assert.deepEqual(painted([5, 1], [1, 3], true), [1, 3, 5]);
  assert.deepEqual(painted([1, 3, 5], [3, 4], false), [1, 5]);
});

test('a fingertip marks the cells around, within the grid', () => {
  assert.deepEqual(brush({ row: 0, column: 0 }, [3, 2], 0), [0]);
  assert.deepEqual(brush({ row: 0, column: 0 }, [3, 2], 1), [0, 1, 2, 3]);
  assert.deepEqual(brush({ row: 2, column: 1 }, [3, 2], 1), [2, 3, 4, 5]);
});

test('the map is a secret until it is shown, and the whole caption’s sum with it', () => {
  const begun = after(playing(), [guessed, 1, [0], true]);
  assert.equal(isSecret(begun, { index: 1 }), true);
  const shown = after(begun, [settled, 1]);
  assert.deepEqual([isSecret(shown, { index: 1 }), isSecret(shown, { index: 0 })], [false, true]);
  assert.equal(isSecret(shown, { index: 1, summed: true }), true);
  assert.equal(isSecret({ ...shown, data: { ...shown.data, done: false } }, { index: 1 }), true);
  assert.equal(isSecret(playing({}, { on: false }), { index: 0 }), false);
});

test('nothing is shown without a guess, and no guess is changed once it is', () => {
  assert.deepEqual(settled(playing(), 1), {});
  const shown = after(playing(), [guessed, 1, [0], true], [settled, 1], [guessed, 1, [0, 1], true], [settled, 1]);
  assert.deepEqual(roundAt(shown, 1).cells[0], [0]);
  assert.deepEqual(guessed(playing({ data: { done: false, grid: [3, 2] } }), 1, [0], true), {}, 'words may still change');
});

test('two sides guess in turn, and each is compared with its own cells', () => {
  const first = after(playing({}, { sides: 2 }), [guessed, 1, [0], true], [settled, 1]);
  assert.deepEqual([roundAt(first, 1).turn, roundAt(first, 1).found], [1, null]);
  assert.deepEqual(settled(first, 1), {}, 'the second side has marked nothing');
  const both = after(first, [guessed, 1, [4, 5], true], [settled, 1]);
  assert.deepEqual(roundAt(both, 1).cells, [[0], [4, 5]]);
  assert.deepEqual(tally(both).map(({ side, words, points }) => [side, words, points]), [['A', 1, 33], ['B', 1, -33]]);
});

test('one side alone again: the turn is its own', () => {
  const first = after(playing({}, { sides: 2 }), [guessed, 1, [0], true], [settled, 1]);
  assert.equal(roundAt({ ...first, guess: { ...first.guess, sides: 1 } }, 1).turn, 0);
});

test('the tally has the means of a caption, and the points of all; a caption that comes again is not counted twice', () => {
  const one = after(playing(), [guessed, 0, [0, 1, 2], true], [settled, 0], [guessed, 1, [0], true], [settled, 1]);
  const [sums] = tally(one);
  assert.equal(sums.words, 2);
  assert.ok(Math.abs(sums.share - 0.5) < 1e-7);
  assert.ok(Math.abs(sums.chance - (1 / 2 + 1 / 6) / 2) < 1e-12);
  const other = after({ ...one, words: [word('cat', ALPHA)] }, [guessed, 0, [4], true], [settled, 0]);
  assert.deepEqual([tally(other)[0].points, tally(other)[0].total], [-17, 16]);
  const again = { ...other, words: one.words };
  assert.deepEqual([tally(again)[0].points, tally(again)[0].total], [33, 16]);
  assert.deepEqual(tally(playing())[0], { side: 'A', words: 0, share: 0, chance: 0, points: 0, total: 0 });
});
