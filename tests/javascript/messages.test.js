// What a page begins with, where its files are, and whether a question was asked before and where its answer is.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  addressOf, answerThere, begunWith, isAskedFor, onArrival, servedAddress,
} from '../../demo/static/model/messages.js';
import { cameBack, createStore, firstState } from '../../demo/static/model/state.js';
import { LOOKS } from './looks.js';

const FIRST = { run: 7, done: true, phase: 'done', example: 'Shepherd', settings: [5, 0, 0], photo: { url: 'a' }, words: [1], captions: [2] };

test('what the address says of the page is what it is asked for', () => {
  assert.deepEqual(addressOf([5, 0.7, 3], ''), { beam: '5', temperature: '0.7', seed: '3', photo: 'own' });
  const search = '?' + new URLSearchParams(addressOf(FIRST.settings, FIRST.example));
  for (const each of ['', '?lang=ko', search]) assert.ok(isAskedFor(each, FIRST.settings, FIRST.example), each);
  for (const each of ['?photo=Corgi', '?photo=own', '?beam=1', '?beam=many', '?seed=1']) {
    assert.ok(!isAskedFor(each, FIRST.settings, FIRST.example), each);
  }
});

test('the first answer plays, unless the address asks for something else', () => {
  assert.deepEqual(onArrival([FIRST], '?lang=ko'), [FIRST]);
  const [other] = onArrival([FIRST], '?photo=Corgi');
  assert.deepEqual([other.photo, other.words, other.captions, other.settings, other.done], [{ url: 'a' }, [], [], [], false]);
  assert.ok(other.run < FIRST.run);
  assert.equal(onArrival([FIRST], '?photo=own')[0].photo, null);
});

test('files are fetched from where the page is, whatever the server calls itself', () => {
  globalThis.location = { pathname: '/below/' };
  assert.equal(servedAddress({ url: 'http://inside:7860/gradio_api/file=a.png' }), '/below/gradio_api/file=a.png');
  assert.equal(servedAddress({ url: 'data:image/png;base64,AA==' }), 'data:image/png;base64,AA==');
  delete globalThis.location;
});

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
