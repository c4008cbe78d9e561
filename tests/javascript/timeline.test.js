// The clock of playback, a word being 900 ms at speed 1.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createStore, firstState } from '../../demo/static/model/state.js';
import { createTimeline } from '../../demo/static/model/timeline.js';
import { LOOKS } from './looks.js';

function started({ words = 3, done = true, reduced = false } = {}) {
  const store = createStore(firstState(LOOKS));
  const timeline = createTimeline(store, reduced);
  timeline.reset();
  timeline.setCount(words, done);
  return { store, timeline, now: () => [timeline.position(), store.get().step, store.get().playing] };
}

test('before any word there is no step, and time does not move', () => {
  const { timeline, now } = started({ words: 0, done: false });
  timeline.advance(5000);
  assert.deepEqual(now(), [0, -1, true]);
});

test('time moves the position, a word each 900 ms, and stops at the last', () => {
  const { store, timeline, now } = started();
  timeline.advance(450);
  assert.deepEqual(now(), [0.5, 0, true]);
  timeline.advance(450);
  assert.deepEqual(now(), [1, 1, true]);
  store.set({ speed: 3 });
  timeline.advance(150);
  assert.deepEqual(now(), [1.5, 1, true]);
  timeline.advance(900);
  assert.deepEqual(now(), [2, 2, false]);
  timeline.advance(900);
  assert.deepEqual(now(), [2, 2, false]);
});

test('while words still come, the last one waits for the next', () => {
  const { timeline, now } = started({ words: 2, done: false });
  timeline.advance(9000);
  assert.deepEqual(now(), [1, 1, true]);
  timeline.setCount(4, true);
  timeline.advance(900);
  assert.deepEqual(now(), [2, 2, true]);
});

test('in a loop the last word has its own time', () => {
  const { store, timeline, now } = started();
  store.set({ loop: true });
  timeline.advance(2250);
  assert.deepEqual(now(), [2.5, 2, true]);
  timeline.advance(900);
  assert.deepEqual(now(), [0, 0, true]);
});

test('jumps and steps stay within the caption and pause', () => {
  const { timeline, now } = started();
  timeline.jump(Infinity);
  assert.deepEqual(now(), [2, 2, false]);
  timeline.step(1);
  assert.deepEqual(now(), [2, 2, false]);
  timeline.step(-1);
  assert.deepEqual(now(), [1, 1, false]);
  timeline.jump(-4, true);
  assert.deepEqual(now(), [0, 0, true]);
  timeline.jump(2);
  timeline.setCount(2, true);
  assert.deepEqual(now(), [1, 1, false], 'a shorter caption has no such word');
});

test('play at the end begins anew, elsewhere goes on', () => {
  const { timeline, now } = started();
  timeline.jump(2);
  timeline.toggle();
  assert.deepEqual(now(), [0, 0, true]);
  timeline.advance(900);
  timeline.toggle();
  timeline.toggle();
  assert.deepEqual(now(), [1, 1, true]);
});

test('the map moves on in the last two fifths of a word, slowly at both ends', () => {
  const { timeline } = started();
  timeline.advance(540);
  assert.ok(Math.abs(timeline.blend()) < 1e-9);
  timeline.advance(180);
  assert.ok(Math.abs(timeline.blend() - 0.5) < 1e-9);
  timeline.advance(90); // at three quarters, 3t² - 2t³
  assert.ok(Math.abs(timeline.blend() - 27 / 32) < 1e-9);
  timeline.toggle();
  assert.equal(timeline.blend(), 0, 'who has paused sees the word itself');
  timeline.jump(2, true);
  assert.equal(timeline.blend(), 0, 'nothing comes after the last');
});

test('who wants no motion sees the newest word, then the whole caption at rest', () => {
  const { timeline, now } = started({ words: 2, done: false, reduced: true });
  assert.deepEqual(now(), [1, 1, false]);
  timeline.setCount(3, true);
  assert.deepEqual(now(), [1, 1, false]);
  timeline.toggle();
  timeline.advance(720);
  assert.equal(timeline.blend(), 0);
});
