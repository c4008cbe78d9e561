// Which language the page is in.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { languageOf, languageOfPage } from '../../demo/static/model/language.js';

test('the first language that the page has is spoken, and English if it has none', () => {
  assert.equal(languageOf('ko-KR'), 'ko');
  assert.equal(languageOf('KO'), 'ko');
  assert.equal(languageOf('en-GB', 'ko'), 'en');
  assert.equal(languageOf('fr', null, '', undefined, 'ko'), 'ko');
  assert.equal(languageOf('fr'), 'en');
  assert.equal(languageOf('kok-IN'), 'en');
  assert.equal(languageOf(), 'en');
});

test('the address comes before what was chosen, and that before the browser', () => {
  assert.equal(languageOfPage('?beam=3&lang=ko', 'en', 'en-US'), 'ko');
  assert.equal(languageOfPage('?lang=en', 'ko', 'ko-KR'), 'en');
  assert.equal(languageOfPage('?beam=3', 'ko', 'en-US'), 'ko');
  assert.equal(languageOfPage('', null, 'ko-KR'), 'ko');
  assert.equal(languageOfPage('?lang=xx', null, 'ko-KR'), 'ko');
});
