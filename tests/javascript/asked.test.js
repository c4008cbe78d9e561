// Whether a question was asked before, and where its answer is.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { answerThere, begunWith } from '../../demo/static/model/asked.js';
import { cameBack, createStore, firstState } from '../../demo/static/model/state.js';
import { LOOKS } from './looks.js';

const WORDS = ['a', 'dog', '<end>'].map((text) => ({ text }));
const answer = (asked, about = 0, conditions = []) => ({ words: WORDS, origin: asked[0], asked, about, conditions });
const CAPTIONS = [
  { words: WORDS, origin: 'search' }, { words: WORDS, origin: 'search' }, answer(['uniform']),
  answer(['word', 1, 'dog'], 1, [['word', 1, 'dog']]), answer(['hide', 0, 0, 1, 1], 3, [['word', 1, 'dog'], ['hide', -1, '']]),
  answer(['branch', 'a', 'cat'])];

test('an answer is that of the same question about the same caption', () => {
  const at = (question) => answerThere({ captions: CAPTIONS }, { index: 0, keep: false, ...question });
  assert.equal(at({ kind: 'uniform' }), 2);
  assert.equal(at({ kind: 'uniform', index: 1 }), 2, 'what is asked of a whole caption is asked of the best');
  assert.equal(at({ kind: 'word', position: 1, word: 'dog' }), -1);
  assert.equal(at({ kind: 'word', position: 1, word: 'dog', index: 1 }), 3);
  assert.equal(at({ kind: 'hide', region: [0, 0, 1, 1], index: 3 }), -1);
  assert.equal(at({ kind: 'hide', region: [0, 0, 1, 1], index: 3, keep: true }), 4);
  assert.equal(at({ kind: 'branch', words: ['a', 'cat'], index: 3, keep: true }), 5);
  assert.equal(at({ kind: 'branch', words: ['a'] }), -1);
  assert.equal(at({ kind: 'uniform', index: 9 }), -1);
});

test('an answer that is there comes back beside what it is about, as if it had just come', () => {
  const store = createStore({ ...firstState(LOOKS), data: { captions: CAPTIONS, words: WORDS }, region: [0, 0, 1, 1], keep: true });
  store.set(cameBack(store.get(), 2));
  const { chosen, companion, keep, region, question, untitled } = store.get();
  assert.deepEqual([chosen, companion, keep, region, question, untitled], [2, 0, false, null, 'uniform', false]);
  store.set(cameBack(store.get(), 5));
  assert.deepEqual([store.get().chosen, store.get().companion, store.get().untitled], [5, 0, true]);
});

test('a finished beginning is known by its words', () => {
  assert.deepEqual(CAPTIONS.map(begunWith), [[], [], [], [], [], ['a', 'cat']]);
});
