// Which part from photo to word is lit, and where the words of the glossary stand in a text.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { forms, litPart, PARTS, termsIn } from '../../demo/static/model/explanations.js';

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

const ENGLISH = forms({
  nats: { forms: ['nats', 'nat'] }, gate: { forms: ['gate', 'β'] }, beam: { forms: ['beam', 'beam size'] }, logs: { forms: ['log-probability'] } });
const KOREAN = forms({ nats: { forms: ['나트'] }, gate: { forms: ['게이트', 'β'] } });

const named = (text, pattern = ENGLISH) => termsIn(text, pattern).filter(({ name }) => name).map((each) => [each.text, each.name]);

test('the pieces are the text', () => {
  for (const text of ['', 'no such word', 'nats', 'From −3.1 nats to 2 nats: β, the Gate.']) {
    assert.equal(termsIn(text, ENGLISH).map((each) => each.text).join(''), text);
  }
});

test('every form is found, the longest first, in capitals too', () => {
  assert.deepEqual(named('Beam size 3, one nat, −3.1 nats; β = 0.4'), [['Beam size', 'beam'], ['nat', 'nats'], ['nats', 'nats'], ['β', 'gate']]);
  assert.deepEqual(named('the log-probability of'), [['log-probability', 'logs']]);
});

test('no part of another word is one, and none that the model said', () => {
  assert.deepEqual(named('a national beaming, gates, “gate”, sub-gate'), []);
});

test('in Korean a number may come before and a particle after', () => {
  assert.deepEqual(named('−3.1나트에서 −2.0나트로, 게이트는', KOREAN), [['나트', 'nats'], ['나트', 'nats'], ['게이트', 'gate']]);
});
