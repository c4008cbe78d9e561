// Which part from photo to word is lit.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { litPart, PARTS } from '../../demo/static/model/equations.js';

const state = (step, change = {}) => ({ phase: 'done', words: ['a', 'dog'], playing: true, step, ...change });
const through = (step) => [...new Set([...Array(20).keys()].map((at) => litPart(state(step), step + at / 20)))];

test('the first word’s time is shared by all parts, each later word’s by those that work anew', () => {
  assert.deepEqual(through(0), [0, 1, 2, 3, 4]);
  assert.deepEqual(through(1), [2, 3, 4]);
  assert.deepEqual(PARTS.map(({ name }) => name), ['photo', 'annotations', 'attention', 'lstm', 'word']);
});

test('while it looks the photo is lit, at rest the word, and before all nothing', () => {
  assert.equal(litPart(state(-1, { phase: 'looking', words: [] }), 0), 0);
  assert.equal(litPart(state(1, { playing: false }), 1), 4);
  assert.equal(litPart(state(-1, { words: [] }), 0), -1);
  assert.equal(litPart(state(1), 2), 4, 'the last word’s own time is over');
});

test('every part has an equation', () => PARTS.forEach(({ formulas }) => assert.ok(formulas.length && formulas.every(Boolean))));
