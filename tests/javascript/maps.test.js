// Sums, places and colours of maps, and how they are told.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  colourTable, coverageOf, mainPlace, ranking, regionSize, shareIn, sumOf,
} from '../../demo/static/model/maps.js';
import { gain, mapDescription, nats, percent, signed } from '../../demo/static/model/wording.js';
import { LOOKS } from './looks.js';

const GRID = [3, 2];
const ALPHA = Float32Array.from([1, 2, 4, 8, 16, 32]); // powers of two: a sum tells its parts

test('a region holds its cells, both ends included', () => {
  assert.equal(shareIn(ALPHA, [0, 0, 2, 1], GRID), sumOf(ALPHA));
  assert.equal(shareIn(ALPHA, [1, 1, 1, 1], GRID), 8);
  assert.equal(shareIn(ALPHA, [0, 1, 1, 1], GRID), 2 + 8);
  assert.deepEqual([regionSize([1, 1, 1, 1]), regionSize([0, 0, 2, 1])], [1, 6]);
});

test('ranks are by size, and equals keep their order', () => {
  assert.deepEqual(ranking([0.2, 0.5, 0.2, 0.1]), [1, 0, 2, 3]);
});

test('the coverage adds up cell by cell', () => {
  const words = [{ alpha: ALPHA }, { alpha: ALPHA.map((each) => 64 * each) }];
  assert.deepEqual(Array.from(coverageOf(words)), Array.from(ALPHA, (each) => 65 * each));
});

test('the main place is a ninth of the photo', () => {
  const alpha = new Float32Array(14 * 14);
  alpha[13 * 14] = 0.75;
  alpha[0] = 0.25;
  assert.deepEqual(mainPlace(alpha, 14, 14), { ninth: 6, share: 0.75 });
  const word = { text: 'dog', end: false, alpha };
  assert.equal(mapDescription(word, [14, 14]), 'dog: bottom left, 75 % of the attention');
});

test('a table is that of its look, and the opacity dims it alone', () => {
  for (const mode of ['heat', 'spotlight']) {
    const given = Uint8Array.from(atob(LOOKS.tables[mode]), (char) => char.charCodeAt(0));
    const bytes = new Uint8Array(colourTable(LOOKS, mode, 0.6).buffer);
    assert.deepEqual(bytes, given.map((byte, at) => (at % 4 === 3 ? Math.round(0.6 * byte) : byte)));
  }
});

test('numbers are written with a true minus, and zero without', () => {
  assert.deepEqual(['-1.5', '-0.0', '-0', '-0.01', '2'].map(signed), ['−1.5', '0.0', '0', '−0.01', '2']);
  assert.deepEqual([percent(0.5), percent(0.05), percent(0.1234, 2)], ['50 %', '5.0 %', '12.34 %']);
  assert.deepEqual([gain(0.01, 0.06), gain(0.5, 0.3), gain(0.02, 0.0201), gain(0.0201, 0.02)], ['+5.0', '−20', '0.0', '0.0']);
  assert.equal(nats(Math.exp(-2)), '−2.00');
});
