// Two captions side by side: what is said of their difference, in the page's words.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  aligned, changeInWords, differing, pairOf, verdict, weighing, wordVerdict,
} from '../../demo/static/model/comparison.js';

const word = (text, chance = 0.5) => ({ text, chance, end: text === '<end>' });
const OWN = ['a', 'man', 'runs', '<end>'].map((text) => word(text));
const LOG_PROB = 4 * Math.log(0.5);

// The model's own caption, and an answer with these words; played so that either is the second.
function pair(answer, words, swapped = false) {
  const captions = [{ words: OWN, log_prob: LOG_PROB, origin: 'search' }, { about: 0, conditions: [], ...answer, words }];
  const [chosen, companion] = swapped ? [0, 1] : [1, 0];
  const data = { captions, settings: [3, 0, 0] };
  return pairOf({ data, chosen, companion, words: captions[chosen].words, others: captions[companion].words });
}

const SAME = [0.5, 0.25, 0.5, 0.5].map(Math.log);

test('the same sentence has its size where the model sees something else, and what is written now stands beside it', () => {
  const words = ['a', 'dog', 'runs', '<end>'].map((text) => word(text));
  for (const swapped of [false, true]) {
    assert.equal(verdict(pair({ origin: 'hide', log_prob: -2.96, same: SAME }, words, swapped)),
      'The same sentence: −2.8 → −3.5 nats with this place hidden. Written now: “a dog runs”, −3.0 nats.');
  }
  assert.equal(verdict(pair({ origin: 'uniform', log_prob: -3.47, same: SAME }, OWN)),
    'The same sentence: −2.8 → −3.5 nats without attention. Written now: the same, word for word.');
  assert.match(verdict(pair({ origin: 'place', log_prob: -3.47, same: SAME }, OWN)), /−3\.5 nats looking only there\./);
});

test('a word of it has its probability before and after', () => {
  const hidden = pair({ origin: 'hide', log_prob: -3, same: SAME }, OWN);
  assert.equal(wordVerdict(hidden, 1), '“man”: 50 % → 25 %.');
  assert.equal(wordVerdict(hidden, 9), '“end”: 50 % → 50 %.', 'a shorter caption stays at its last word');
  assert.equal(wordVerdict(pair({ origin: 'own', log_prob: -3 }, OWN), 1), '');
  assert.equal(wordVerdict(null, 1), '');
});

test('a word that was said is told with the one in whose place it is', () => {
  const words = [word('a'), word('dog', 0.125), word('<end>')];
  const said = pair({ origin: 'word', log_prob: -3.47, conditions: [['word', 1, 'dog']] }, words);
  assert.equal(verdict(said),
    '“man” had 50 %, “dog” has 13 %. The sentence: −2.8 → −3.5 nats. What differs is underlined.');
});

test('sentences of other settings and of one’s own have both sizes; two that were found are only compared', () => {
  assert.equal(verdict(pair({ origin: 'own', log_prob: -20 }, [word('dog')])),
    'The model’s sentence: −2.8 nats; yours: −20.0 nats. What differs is underlined.');
  assert.equal(verdict(pair({ origin: 'settings', log_prob: LOG_PROB, settings: [1, 0, 0] }, OWN)),
    'The sentence: −2.8 → −2.8 nats. The same, word for word.');
  assert.equal(verdict(pair({ origin: 'search', about: undefined, log_prob: -4 }, OWN)), 'The same, word for word.');
});

test('a beginning that was dropped is named with the size of what became of it', () => {
  assert.equal(verdict(pair({ origin: 'branch', log_prob: -3.47, asked: ['branch', 'a', 'dog'] }, ['a', 'dog', '<end>'].map((text) => word(text)))),
    'The model’s sentence: −2.8 nats; the one that begins “a dog”: −3.5 nats. What differs is underlined.');
});

test('no verdict names a cause', () => {
  for (const origin of ['hide', 'uniform', 'place']) {
    const said = verdict(pair({ origin, log_prob: -3, same: SAME }, [word('dog')]));
    assert.doesNotMatch(said, /because|since|due|changed/i);
  }
});

test('both panes name what was kept', () => {
  const conditions = [['word', 1, 'dog']];
  const captions = [
    { words: OWN, log_prob: -1, origin: 'search' }, { words: OWN, log_prob: -2, origin: 'word', about: 0, conditions },
    { words: OWN, log_prob: -3, origin: 'hide', about: 1, conditions: [...conditions, ['hide', -1, '']] }];
  const names = (chosen, companion) => {
    const { own, second } = pairOf({ data: { captions, settings: [3, 0, 0] }, chosen, companion, words: OWN, others: OWN });
    return [second.name, own.name];
  };
  assert.deepEqual(names(1, 0), ['The model’s own word', 'another word']);
  assert.deepEqual(names(2, 1), ['Kept “dog” as word 2: The whole photo', 'Kept “dog” as word 2: with a place hidden']);
  assert.deepEqual(names(1, 2), names(2, 1).reverse());
});

test('words differ that are outside the longest common part', () => {
  const flags = (one, other) => differing(one.split(' '), other.split(' ')).map((each) => each.map(Number).join(''));
  assert.deepEqual(flags('a dog runs', 'a dog runs'), ['000', '000']);
  assert.deepEqual(flags('a brown dog runs', 'a dog sits'), ['0101', '001']);
  assert.deepEqual(flags('one two', 'three'), ['11', '1']);
});

// The length of the longest common part, by trying every part of the one.
function longestCommon(one, other) {
  let longest = 0;
  for (let mask = 0; mask < 1 << one.length; mask++) {
    const part = one.filter((none, index) => mask & (1 << index));
    let at = 0;
    for (const each of other) if (each === part[at]) at++;
    if (at === part.length) longest = Math.max(longest, part.length);
  }
  return longest;
}

// Every list of so many letters.
const lists = (length) => (length ? lists(length - 1).flatMap((each) => ['a', 'b', 'c'].map((letter) => [...each, letter])) : [[]]);

test('rows hold every word once and in order, and as many of the same as any alignment can', () => {
  const all = [1, 2, 3, 4].flatMap(lists);
  let compared = 0;
  for (let at = 0; at < all.length; at += 3) {
    for (let to = at % 2; to < all.length; to += 2) {
      const [one, other] = [all[at], all[to]].map((each) => each.map((text) => word(text)));
      const rows = aligned(one, other);
      assert.deepEqual(rows.map(([each]) => each).filter(Boolean), one);
      assert.deepEqual(rows.map(([, each]) => each).filter(Boolean), other);
      const same = rows.filter(([left, right]) => left && right && left.text === right.text).length;
      assert.equal(same, longestCommon(all[at], all[to]), `${all[at]} and ${all[to]}`);
      const alone = rows.map(([left, right]) => (left ? (right ? '=' : '-') : '+')).join('');
      assert.doesNotMatch(alone, /-\+|\+-/, 'no word stands alone where one of the other could stand beside it');
      compared++;
    }
  }
  assert.ok(compared > 2000);
});

test('both sentences are weighed on one axis, and differences are those of the figures shown', () => {
  const own = pair({ origin: 'own', log_prob: null }, [word('a', 0.25), word('blorp', null), word('dog', 0.001), word('runs', 0.9), word('<end>', 0.5)]);
  const { rows, end } = weighing(own);
  assert.deepEqual(rows.map(({ words }) => words.map((each) => each && each.text)), [
    ['a', 'a'], ['man', 'blorp'], [null, 'dog'], ['runs', 'runs'], ['<end>', '<end>']]);
  assert.deepEqual(rows.map(({ figures }) => figures), [[-0.69, -1.39], [-0.69, null], [null, -6.91], [-0.69, -0.11], [-0.69, -0.69]]);
  assert.deepEqual(rows.map(({ difference }) => difference), [-0.7, null, null, 0.58, 0]);
  assert.equal(end, -7);
  assert.equal(weighing(pair({ origin: 'own', log_prob: null }, OWN)).end, -1, 'no bar is longer than the axis');
});

test('no word is said not to have changed where a point stands beside it', () => {
  const said = (before, after) => changeInWords({ word: 'dog', words: [['dog', before, after]] });
  assert.match(said(0.504, 0.5049), /^No likely word changed by a point/);
  assert.match(said(0.504, 0.506), /^“dog” went from 50 % to 51 %/, 'a point, by what is shown');
  assert.match(said(0.0934, 0.1036), /^“dog” went from 9\.3 % to 10 %/, 'a point, by what was measured');
});
