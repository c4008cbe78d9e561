// Numbers as a reader is told of them: what is shown adds up.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changeInWords } from '../../demo/static/model/comparison.js';
import { gain, percent, pointsBetween } from '../../demo/static/model/wording.js';

const shown = (text) => Number(text.replace(' %', '').replace('−', '-'));

test('points are the difference of the figures that stand beside them', () => {
  assert.deepEqual([percent(0.934), percent(0.796), gain(0.934, 0.796)], ['93 %', '80 %', '−13']);
  assert.equal(gain(0.5, 0.55), '+5');
  assert.equal(gain(0.096, 0.12), '+2.4');
  assert.equal(gain(0.0031, 0.0029), '0.0');
  assert.equal(gain(0.501, 0.499), '0');
  for (let before = 0; before <= 1; before += 0.0173) {
    for (let after = 0; after <= 1; after += 0.0191) {
      const difference = shown(percent(after)) - shown(percent(before));
      assert.ok(Math.abs(shown(gain(before, after)) - difference) < 1e-9, `${before} ${after}`);
      assert.ok(Math.abs(pointsBetween(before, after) - difference) < 1e-9);
    }
  }
});

test('no word is said not to have changed where a point stands beside it', () => {
  const said = (before, after) => changeInWords({ word: 'dog', words: [['dog', before, after]] });
  assert.match(said(0.504, 0.5049), /^No likely word changed by a point/);
  assert.match(said(0.504, 0.506), /^“dog” went from 50 % to 51 %/, 'a point, by what is shown');
  assert.match(said(0.0934, 0.1036), /^“dog” went from 9\.3 % to 10 %/, 'a point, by what was measured');
});
