// The store, and what messages and visitors change in it.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  askedAbout, askedWords, captionOf, chose, countOf, coverageToggled, createStore, firstState, keepableOf, looked,
  mapOf, momentOf, openedQuestion, paired, pairToggled, received, topOf, wordAt,
} from '../../demo/static/model/state.js';
import { LOOKS } from './looks.js';

// Six cells as bytes in base64, with their highest weight, as Python sends them.
function sent(text, weights, chance = 0.5) {
  const peak = Math.max(...weights);
  const a = Buffer.from(weights.map((weight) => Math.round((255 * weight) / peak))).toString('base64');
  return [text, chance, { a, m: peak, h: 1, b: 0.5, alt: [] }];
}

const EVEN = [1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 6];
const SHARP = [1, 0, 0, 0, 0, 0];

function message(change = {}) {
  const caption = (words, origin = 'search') => ({ words, log_prob: -1, finished: true, origin });
  const hidden = { ...caption([3], 'hide'), about: 0, conditions: [['hide', -1, '']] };
  return [{
    version: 7, run: 1, phase: 'done', ahead: 0, grid: [3, 2], done: true, chosen: 0, beside: -1, shown: [0, 1],
    words: [sent('a', EVEN), sent('dog', SHARP), ['<end>', 0.9, 1], sent('cat', EVEN)],
    captions: [caption([0, 1, 2]), caption([0, 3]), hidden], ...change }];
}

function told(...messages) {
  const store = createStore(firstState(LOOKS));
  for (const each of messages) store.set(received(store.get(), each, 7) || {});
  return store;
}

const texts = (words) => words.map(({ text }) => text);

test('who subscribed hears of changes of those fields, at once, in order, with both values', () => {
  const store = createStore({ one: 1, two: 2 });
  const heard = [];
  store.subscribe(['two'], (now, before) => heard.push(['two', before.two, now.two]));
  store.subscribe(null, (now) => heard.push(['any', now.one, now.two]));
  store.set({ one: 5 });
  store.set({ one: 5 });
  store.set({ one: 6, two: 7 });
  assert.deepEqual(heard, [['any', 5, 2], ['two', 2, 7], ['any', 6, 7]]);
});

test('a change made while others are told reaches them too', () => {
  const store = createStore({ words: 1, step: 0 });
  const steps = [];
  store.subscribe(['words'], () => store.set({ step: 3 }));
  store.subscribe(['words'], ({ step }) => steps.push(step));
  store.set({ words: 2 });
  assert.deepEqual(steps, [3]);
});

test('a state is replaced, never changed', () => {
  const store = createStore(firstState(LOOKS));
  const before = store.get();
  assert.throws(() => (before.step = 4), TypeError);
  store.set({ step: 4 });
  assert.deepEqual([before.step, store.get().step], [-1, 4]);
});

test('a message brings the words of its leading guess, then those of the chosen caption', () => {
  const guess = told(message({ captions: [], done: false, phase: 'guessing' })).get();
  assert.deepEqual([texts(guess.words), guess.phase, captionOf(guess)], [['a', 'dog'], 'guessing', undefined]);
  const done = told(message({ chosen: 1 })).get();
  assert.deepEqual([texts(done.words), done.chosen, countOf(done)], [['a', 'cat'], 1, 2]);
});

test('a word that was chosen after the same look has the same map', () => {
  const [, dog, end] = told(message()).get().words;
  assert.deepEqual([Array.from(end.alpha), end.end], [Array.from(dog.alpha), true]);
  assert.deepEqual(Array.from(dog.alpha), SHARP);
});

test('late and foreign messages change nothing; asking keeps what is there', () => {
  const { run } = message()[0];
  const state = told(message()).get();
  assert.equal(received(state, message({ run: run - 1 }), 7), null);
  assert.equal(received(state, message({ version: 6 }), 7), null);
  assert.equal(received(state, null, 7), null);
  const asking = told(message(), message({ phase: 'asking', ahead: 2, words: [], captions: [] })).get();
  assert.deepEqual([asking.phase, asking.ahead, texts(asking.words)], ['asking', 2, texts(state.words)]);
  assert.equal(asking.data.phase, 'done');
});

test('a new run clears what the visitor had chosen, the same run keeps it', () => {
  const store = told(message());
  const own = { region: [0, 0, 1, 1], preview: 1, coverage: true };
  store.set({ ...own, ...chose(store.get(), 1) });
  store.set(received(store.get(), message(), 7));
  const kept = store.get();
  assert.deepEqual([kept.chosen, kept.region, kept.preview, kept.coverage], [1, own.region, 1, true]);
  store.set(received(store.get(), message({ run: 2 }), 7));
  const cleared = store.get();
  assert.deepEqual([cleared.chosen, cleared.region, cleared.preview, cleared.coverage], [0, null, null, false]);
});

test('side by side: two captions, which change places when the one beside is chosen', () => {
  const store = told(message());
  store.set(pairToggled(store.get()));
  assert.deepEqual([store.get().companion, texts(store.get().others), store.get().untitled], [1, ['a', 'cat'], true]);
  store.set(chose(store.get(), 1));
  assert.deepEqual([store.get().chosen, store.get().companion, texts(store.get().others)], [1, 0, ['a', 'dog', '<end>']]);
  assert.equal(countOf(store.get()), 3);
  assert.equal(wordAt(store.get(), 2).text, 'cat', 'a shorter one stays at its last word');
  store.set(pairToggled(store.get()));
  assert.deepEqual([store.get().companion, store.get().others], [-1, []]);
  const single = told(message({ captions: message()[0].captions.slice(0, 1) })).get();
  assert.equal(pairToggled(single).companion, -1);
});

test('an answer stands with its question', () => {
  const store = told(message());
  store.set(paired(store.get(), 2));
  assert.deepEqual([store.get().question, store.get().untitled], ['hide', false]);
  assert.deepEqual(openedQuestion('nonsense'), {});
  store.set(openedQuestion('own'));
  assert.equal(store.get().question, 'own');
});

// The page with answers: a word said, no attention under it, no attention, a place hidden under the word.
function asked(chosen, change = {}) {
  const answer = (origin, about, conditions) => ({ words: [3], log_prob: -2, finished: true, origin, about, conditions });
  const [said, hidden] = [['word', 1, 'cat'], ['hide', -1, '']];
  const captions = [
    ...message()[0].captions.slice(0, 2), answer('word', 0, [said]), answer('uniform', 2, [said]), answer('uniform', 0, []),
    answer('hide', 2, [said, hidden])];
  return message({ run: 2, captions, chosen, beside: chosen < 2 ? -1 : captions[chosen].about, ...change });
}

test('the next question is about the model’s own caption, or one that was found and plays', () => {
  for (const [chosen, about] of [[0, 0], [1, 1], [2, 0], [3, 0], [4, 0], [5, 0]]) {
    const state = told(asked(chosen)).get();
    assert.equal(askedAbout(state), about);
    assert.equal(askedWords(state), state.data.captions[about].words);
  }
  const guessing = told(message({ captions: [], done: false })).get();
  assert.deepEqual(texts(askedWords(guessing)), ['a', 'dog']);
});

test('a word said or a place hidden can be kept, and what was kept before; nothing else', () => {
  for (const [chosen, keepable] of [[0, -1], [1, -1], [2, 2], [3, 2], [4, -1], [5, 5]]) {
    const store = told(asked(chosen));
    assert.equal(keepableOf(store.get()), keepable);
    if (keepable < 0) continue;
    store.set({ keep: true });
    assert.equal(askedAbout(store.get()), keepable);
  }
});

test('what is kept stays kept for an answer asked under it, and for no other caption', () => {
  const kept = (first, ...changes) => {
    const store = told(asked(first));
    store.set({ keep: true });
    for (const change of changes) store.set(change(store.get()));
    return store.get().keep;
  };
  const arrives = (chosen) => (state) => received(state, asked(chosen, { run: 3 }), 7);
  assert.equal(kept(2, arrives(3)), true);
  assert.equal(kept(2, arrives(5)), false, 'a change of its own needs a tick of its own');
  assert.equal(kept(2, arrives(4)), false);
  assert.equal(kept(2, arrives(0)), false);
  assert.equal(kept(3, (state) => chose(state, 2)), true, 'the same change');
  assert.equal(kept(2, (state) => chose(state, 5)), false);
  assert.equal(kept(2, (state) => chose(state, 0)), false);
  assert.equal(kept(2, (state) => paired(state, -1)), false, 'with the comparison goes the box');
});

test('an answer stands beside what it is about and beside nothing else', () => {
  const store = told(asked(4));
  const sides = (change) => {
    store.set(change(store.get()));
    return [store.get().chosen, store.get().companion];
  };
  assert.deepEqual(sides((state) => chose(state, 3)), [3, 2]);
  assert.deepEqual(sides((state) => chose(state, 2)), [2, 0]);
  assert.deepEqual(sides((state) => chose(state, 0)), [0, 2], 'the two change places');
  assert.deepEqual(sides((state) => chose(state, 0)), [0, 2]);
  assert.deepEqual(sides((state) => chose(state, 1)), [1, 0]);
  assert.deepEqual(sides(pairToggled), [1, -1]);
  assert.deepEqual(sides((state) => chose(state, 5)), [5, -1]);
  assert.deepEqual(sides(pairToggled), [5, 2]);
});

test('the scale of a word ends at its peak, but never below four times an even share; that of a caption at its highest', () => {
  const state = told(message()).get();
  const [even, sharp] = state.words;
  assert.ok(Math.abs(topOf(state, even) - 4 / 6) < 1e-12);
  assert.equal(topOf(state, sharp), 1);
  const common = { ...state, ...looked(state, { scale: 'caption' }) };
  assert.deepEqual([topOf(common, even), topOf(common, sharp)], [1, 1]);
});

test('another look has another table of colours, and keeps the rest', () => {
  const state = firstState(LOOKS);
  const change = looked(state, { mode: 'spotlight' });
  assert.deepEqual(change.look, { ...state.look, mode: 'spotlight' });
  assert.notDeepEqual(Array.from(change.table), Array.from(state.table));
});

test('the moment is the word that plays, or the one pointed at', () => {
  const state = { ...told(message()).get(), step: 1 };
  const playing = momentOf(state);
  assert.deepEqual([playing.index, playing.word.text, playing.previewed], [1, 'dog', false]);
  assert.equal(mapOf(state, state.words, playing).next.alpha, state.words[2].alpha);
  const pointed = { ...state, preview: 0, coverage: true };
  assert.deepEqual([momentOf(pointed).word.text, momentOf(pointed).summed], ['a', false]);
  assert.equal(mapOf(pointed, pointed.words, momentOf(pointed)).next, null);
  assert.equal(momentOf({ ...state, preview: 9 }).index, 1, 'a word that is gone is not pointed at');
  assert.equal(mapOf(firstState(LOOKS), [], momentOf(firstState(LOOKS))), null);
});

test('the coverage sums all words, wants some, and stops playing', () => {
  const state = { ...told(message()).get(), step: 0, playing: true };
  const change = coverageToggled(state);
  assert.deepEqual(change, { coverage: true, playing: false });
  const covered = { ...state, ...change };
  const map = mapOf(covered, covered.words, momentOf(covered));
  assert.ok(Math.abs(map.top - (1 / 6 + 2)) < 1e-6);
  assert.ok(Math.abs(map.alpha.reduce((sum, each) => sum + each) - 3) < 1e-6, 'each word shares out one');
  assert.deepEqual(coverageToggled(covered), { coverage: false, playing: false });
  assert.deepEqual(coverageToggled({ ...firstState(LOOKS), playing: true }), { coverage: false, playing: true });
});

