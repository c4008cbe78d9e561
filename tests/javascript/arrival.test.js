// What a page begins with.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addressOf, isAskedFor, onArrival } from '../../demo/static/model/messages.js';

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
