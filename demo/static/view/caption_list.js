// All captions the search found, best first and with what ranks them, and the answers to questions: each can be played.
// And what is to be said of the one that plays.
import { pairOf, verdict } from '../model/comparison.js';
import { captionOf } from '../model/state.js';
import { say } from '../model/strings.js';
import {
  arithmetic, bars, familiarity, isAnswer, mark, rankedScore, rule, score, sentence, wordCount,
} from '../model/wording.js';
import { make, press, setText, track } from './elements.js';

export function createCaptionList(element, store, choose) {
  const section = element.querySelector('.sat-caption-list');
  const list = section.querySelector('.sat-captions');
  const line = section.querySelector('.sat-captions-line');
  const forgotten = section.querySelector('.sat-forgotten');
  const pairButton = section.querySelector('.sat-pair');

  function row(caption, index, share) {
    const item = make('li');
    const button = make('button');
    button.title = arithmetic(caption);
    button.append(
      make('small', '', mark(caption)), make('bdi', '', sentence(caption.words)), track(share),
      make('span', 'sat-number', wordCount(caption)), make('span', 'sat-number sat-captions-nats', score(caption)),
      make('span', 'sat-number sat-captions-score', rankedScore(caption)));
    button.addEventListener('click', () => choose(index));
    item.append(button);
    return item;
  }

  store.subscribe(['data'], ({ data }) => {
    const captions = data.captions.length > 1 ? data.captions : []; // a lone one stands above already
    section.hidden = !captions.length;
    pairButton.hidden = !captions.length;
    const shares = bars(captions);
    list.replaceChildren(...captions.map((caption, index) => row(caption, index, shares[index])));
    const answers = captions.findIndex(isAnswer);
    if (answers > 0) list.children[answers].before(make('li', 'sat-note sat-captions-answers', say('answersHead')));
    line.textContent = captions.length ? rule(captions[0]) : '';
    forgotten.hidden = !data.forgotten;
    forgotten.textContent = say('forgotten', { kept: captions.filter(isAnswer).length });
  });
  store.subscribe(['data', 'chosen', 'companion'], ({ chosen, companion }) => {
    list.querySelectorAll('button').forEach((button, index) => press(button, index === chosen));
    press(pairButton, companion >= 0);
  });
}

// How far the model is, and what is to be known of its caption.
export function createNotes(element, store) {
  const [status, live, cut, familiar] = ['status', 'live', 'cut', 'familiar'].map((each) => element.querySelector('.sat-' + each));

  store.subscribe(['phase', 'ahead'], ({ phase, ahead }) => {
    status.textContent = say(phase === 'asking' && ahead ? 'waiting' : phase, { ahead }) || '';
  });
  // The one that is read out: what was written in the end, with what it comes to beside what it answers; no guess before.
  store.subscribe(['data'], (state) => {
    const { data, words } = state;
    const pair = pairOf(state);
    const parts = [say(data.phase === 'stopped' ? 'stopped' : 'caption') + ': ' + sentence(words), pair ? verdict(pair) : ''];
    setText(live, data.done && words.length ? parts.join(' ').trim() : '');
    familiar.textContent = familiarity(data);
  });
  store.subscribe(['words'], (state) => {
    const caption = captionOf(state);
    cut.textContent = caption && !caption.finished ? say('cut') : '';
  });
}
