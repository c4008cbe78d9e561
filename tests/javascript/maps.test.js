// Sums, places and colours of maps, how they are told, and the smooth field where its values are known without it;
// tests/demo/test_javascript.py holds scikit-image beside it.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  colourTable, coverageOf, decodeAlpha, expand, expandMatrix, mainPlace, nearestMatrix, ranking, regionSize, shareIn, sumOf,
} from '../../demo/static/model/maps.js';
import { mapDescription } from '../../demo/static/model/wording.js';
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

const SCALE = 8;

function field(alpha, rows, columns, matrix = expandMatrix) {
  return Array.from(expand(Float32Array.from(alpha), rows, columns, matrix(rows, SCALE), matrix(columns, SCALE)));
}

function isNear(got, expected, tolerance = 1e-5) {
  assert.equal(got.length, expected.length);
  got.forEach((each, at) => assert.ok(Math.abs(each - expected[at]) < tolerance, `${at}: ${each} is not ${expected[at]}`));
}

test('bytes are weights between nothing and the peak', () => {
  const encoded = Buffer.from([0, 51, 255]).toString('base64');
  isNear(Array.from(decodeAlpha(encoded, 0.5)), [0, 0.1, 0.5], 1e-7);
});

test('an even map is an even field', () => {
  isNear(field(new Array(6).fill(0.25), 3, 2), new Array(6 * SCALE * SCALE).fill(0.25));
});

test('a ramp stays a ramp, far from its ends', () => {
  const columns = 14;
  const ramp = Array.from({ length: columns }, (none, at) => at);
  const row = field([...ramp, ...ramp], 2, columns).slice(0, columns * SCALE);
  const middle = [3 * SCALE, 11 * SCALE];
  const expected = Array.from({ length: columns * SCALE }, (none, at) => (at + 0.5) / SCALE - 0.5);
  isNear(row.slice(...middle), expected.slice(...middle), 1e-4);
});

test('a turned map is a turned field', () => {
  const alpha = [0, 1, 2, 3, 5, 8];
  const turned = [0, 2, 5, 1, 3, 8]; // 3×2 → 2×3
  const [tall, wide] = [3 * SCALE, 2 * SCALE];
  const [upright, lying] = [field(alpha, 3, 2), field(turned, 2, 3)];
  isNear(Array.from({ length: tall * wide }, (none, at) => upright[(at % tall) * wide + Math.floor(at / tall)]), lying);
});

test('the field of a sum is the sum of the fields', () => {
  const [one, other] = [[1, 0, 0, 2, 0, 3], [0, 4, 1, 0, 0, 0]];
  const [first, second] = [field(one, 3, 2), field(other, 3, 2)];
  isNear(field(one.map((each, at) => each + other[at]), 3, 2), first.map((each, at) => each + second[at]));
});

test('cells as they are repeat each weight', () => {
  const got = field([1, 2, 3, 4, 5, 6], 3, 2, nearestMatrix);
  isNear(got, got.map((none, at) => 1 + 2 * Math.floor(at / (2 * SCALE * SCALE)) + Math.floor((at % (2 * SCALE)) / SCALE)));
});

test('one cell is a field of its own', () => {
  isNear(field([0.7], 1, 1), new Array(SCALE * SCALE).fill(0.7));
});
