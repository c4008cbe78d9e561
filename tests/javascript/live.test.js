import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  answered, asked, covered, ended, held, isDark, isLooking, isShowing, LIVE_OFF, liveMap, paced, paceOf, percentile, started, wordAt,
} from '../../demo/static/model/live.js';

const map = (bytes) => btoa(String.fromCharCode(...bytes));
const word = (text, bytes = [255, 0, 0, 0], peak = 0.5) => [text, 0.5, map(bytes), peak];
const answer = (words, changed) => ({ words: [...words.map((each) => word(each)), word('<end>')], changed, grid: [2, 2] });

test('the phases of a camera', () => {
  assert.equal(isShowing(LIVE_OFF), false);
  assert.equal(isLooking(asked()), false);
  const on = started(asked(), true);
  assert.deepEqual([on.phase, on.several, isLooking(on)], ['starting', true, true]);
  assert.deepEqual([ended('liveDenied').phase, ended('liveDenied').message], ['ended', 'liveDenied']);
  assert.equal(covered(on).phase, 'covered');
});

test('words stay while the answer says that nothing changed, and begin anew when it does', () => {
  const first = answered(started(asked(), false), answer(['a', 'dog'], true), 100, 300);
  assert.deepEqual([first.standing, first.changes, first.since], [['a', 'dog', '<end>'], 1, 300]);
  const second = answered(first, answer(['a', 'dog'], false), 300, 500);
  assert.deepEqual([second.captions, second.changes, second.since], [2, 1, 300]);
  const third = answered(held(second, 'dog'), answer(['a', 'cat'], true), 500, 700);
  assert.deepEqual([third.changes, third.since, third.held], [2, 700, '']);
  assert.equal(answered(third, { ahead: 2 }, 700, 800).phase, 'waiting');
});

test('each word has its turn, unless one is held or nobody wants motion', () => {
  const live = answered(started(asked(), false), answer(['a', 'dog', 'runs'], true), 0, 0);
  assert.deepEqual([0, 699, 700, 1400, 2100].map((now) => wordAt(live, now, false)), [0, 0, 1, 2, 0]);
  assert.equal(wordAt(live, 0, true), -1);
  assert.equal(wordAt(held(live, 'runs'), 0, false), 2);
  assert.equal(held(held(live, 'runs'), 'runs').held, '');
});

test('the map is the word’s, or the sum of all', () => {
  const live = answered(started(asked(), false), answer(['a', 'dog'], true), 0, 0);
  const looks = { sharpest: 1 };
  assert.deepEqual([...liveMap(live, 0, { looks }).alpha], [0.5, 0, 0, 0]);
  assert.deepEqual([liveMap(live, 0, { looks }).top, liveMap(live, -1, { looks }).top], [0.5, 1]);
  assert.equal(liveMap(LIVE_OFF, 0, { looks }), null);
});

test('a closed cover is dark all over; a dark room has something in it', () => {
  const grey = (values) => values.flatMap((each) => [each, each, each, 255]);
  assert.equal(isDark(grey([3, 4, 5])), true);
  assert.equal(isDark(grey([3, 4, 20])), false);
  assert.equal(isDark(grey([90, 91, 92])), false);
});

test('figures look back five seconds', () => {
  let samples = [];
  for (let at = 0; at <= 10000; at += 250) samples = paced(samples, { at, delay: at });
  const { rate, delay } = paceOf(samples);
  assert.equal(samples[0].at, 5250);
  assert.ok(Math.abs(rate - 4) < 1e-9);
  assert.equal(delay, 7625);
  assert.equal(paceOf(samples.slice(0, 2)), null);
});

test('percentiles lie between neighbours', () => {
  assert.equal(percentile([3, 1, 2], 0.5), 2);
  assert.equal(percentile([0, 10], 0.95), 9.5);
  assert.equal(percentile([7], 0.95), 7);
});
