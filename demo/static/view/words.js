// The words of a caption: all of them with their maps, and what the model considered for the one of the moment.
import { expand, expandMatrix, ranking } from '../model/maps.js';
import { askedAbout, captionOf, topOf } from '../model/state.js';
import { say } from '../model/strings.js';
import { chanceInWords, nameOf, percent, wordName } from '../model/wording.js';
import { isHeld, label, make, paintField, press, setText, track } from './elements.js';

const RANKS = 3;
const LINE = 12; // words that a caption mostly has
const LONG = 14;
const VERY_LONG = 22;
const THUMB = 128; // pixels high
const SCALE = 4; // pixels a cell in the map of a thumbnail

// The caption as a line of words, and the strip of their maps.
export function createWords(element, on) {
  const line = element.querySelector('.sat-caption');
  const strip = element.querySelector('.sat-strip');
  const buttons = [];
  const thumbs = [];
  const drawn = []; // what each thumbnail was drawn from
  let marked = '';

  function listen(button, index) {
    button.addEventListener('pointerenter', (event) => event.pointerType !== 'touch' && on.preview(index));
    button.addEventListener('pointerleave', () => on.preview(null));
    button.addEventListener('focus', () => button.matches(':focus-visible') && on.preview(index));
    button.addEventListener('blur', () => on.preview(null));
    button.addEventListener('click', () => on.pin(index));
  }

  function add(index) {
    const button = make('button', 'sat-word');
    const rank = make('span', 'sat-rank');
    button.dir = 'auto';
    const share = make('span', 'sat-share');
    for (const each of [rank, share]) each.setAttribute('aria-hidden', 'true'); // the list of who looked there tells them
    button.append(rank, make('bdi'), share);
    line.append(button, ' ');
    buttons.push(button);

    const item = make('li');
    const thumb = make('button', 'sat-thumb');
    thumb.append(make('canvas'), make('bdi'));
    item.append(thumb);
    strip.append(item);
    thumbs.push(thumb);
    listen(button, index);
    listen(thumb, index);
  }

  function trim(count) {
    while (buttons.length > count) {
      const button = buttons.pop();
      if (button.nextSibling) button.nextSibling.remove();
      button.remove();
      thumbs.pop().parentElement.remove();
    }
    drawn.length = Math.min(drawn.length, count);
  }

  return {
    // ``described``: what is told of the word at a place.
    fill(words, described) {
      trim(words.length);
      marked = '';
      words.forEach((word, index) => {
        if (index >= buttons.length) add(index);
        for (const each of [buttons[index], thumbs[index]]) {
          setText(each.querySelector('bdi'), word.end ? '■' : word.text);
          each.classList.toggle('sat-end', word.end);
          each.classList.toggle('sat-unknown', word.chance === null);
          label(each, described(word, index));
        }
      });
      line.classList.toggle('sat-long', words.length > LONG && words.length <= VERY_LONG);
      line.classList.toggle('sat-very-long', words.length > VERY_LONG);
      strip.style.setProperty('--count', Math.max(words.length, LINE)); // so that thumbnails keep their size while words come
    },
    drawThumbs(state, photo) {
      const { words, table } = state;
      const { grid } = state.data;
      const map = make('canvas');
      const tall = expandMatrix(grid[0], SCALE);
      const wide = expandMatrix(grid[1], SCALE);
      const aspect = photo.naturalWidth / photo.naturalHeight || 1;
      words.forEach((word, index) => {
        // What has not changed is not drawn again, since every new word comes by here.
        const top = topOf(state, word);
        const parts = [word.map, top, table, photo.currentSrc, photo.complete];
        if (drawn[index] && drawn[index].every((part, at) => part === parts[at])) return;
        drawn[index] = parts;
        const canvas = thumbs[index].querySelector('canvas');
        const width = Math.round(THUMB * Math.min(Math.max(aspect, 0.4), 2.5));
        if (canvas.width !== width || canvas.height !== THUMB) Object.assign(canvas, { width, height: THUMB });
        const context = canvas.getContext('2d');
        const field = expand(word.alpha, grid[0], grid[1], tall, wide);
        paintField(map, field, grid[1] * SCALE, grid[0] * SCALE, top, table);
        context.drawImage(photo, 0, 0, width, THUMB);
        context.imageSmoothingQuality = 'high';
        context.drawImage(map, 0, 0, width, THUMB);
      });
    },
    // The word of the moment; the ones after ``reached`` are still to come.
    mark(current, reached) {
      const key = [current, reached, buttons.length].join();
      if (key === marked) return;
      marked = key;
      buttons.forEach((button, index) => {
        for (const each of [button, thumbs[index]]) {
          each.classList.toggle('sat-current', index === current);
          press(each, index === current);
        }
        button.classList.toggle('sat-ahead', index > reached);
      });
    },
    // How much of each word's attention lies in a region, and the words' ranks by that; or null to clear.
    showShares(shares) {
      const top = shares ? Math.max(...shares) : 0;
      const ranked = shares ? ranking(shares).slice(0, RANKS) : [];
      buttons.forEach((button, index) => {
        button.querySelector('.sat-rank').dataset.text = ranked.includes(index) ? ranked.indexOf(index) + 1 : '';
        button.querySelector('.sat-share').dataset.text = shares ? percent(shares[index], 1) : '';
        button.style.setProperty('--share', shares && top > 0 ? shares[index] / top : 0);
      });
      line.classList.toggle('sat-shares', Boolean(shares));
    },
    underline(flags) {
      buttons.forEach((button, index) => button.classList.toggle('sat-differs', flags[index] || false));
    },
  };
}

// What the model considered for the word of the moment: likeliest words, focus, gate.
// ``branch``: asks how it goes on from another word; null where nobody answers.
export function createWordPanel(element, branch) {
  const panel = element.querySelector('.sat-word-panel');
  const list = panel.querySelector('.sat-bars');
  const [name, chance, focus, focusLine, gate, gateValue] = ['word', 'chance', 'focus', 'focus-line', 'gate', 'gate-value']
    .map((each) => panel.querySelector('.sat-word-panel-' + each));
  let shown = [];

  // A runner-up is a button; after a click, another one at its side has it said instead.
  function runnerUp(text, word) {
    const button = make('button');
    button.title = say('goOn', { word: nameOf(word) });
    button.append(text);
    button.addEventListener('click', () => {
      list.querySelectorAll('.sat-say').forEach((each) => each.remove());
      const instead = make('button', 'sat-say', say('sayInstead'));
      instead.addEventListener('click', () => branch(word.text));
      button.parentElement.append(instead);
      instead.focus();
    });
    return button;
  }

  function bar(word, written, asked) {
    const item = make('li', word.text === written ? 'sat-chosen' : '');
    const text = make('bdi', '', wordName(word.text));
    const number = make('span', 'sat-number', percent(word.chance));
    item.append(word.text === written || !asked ? text : runnerUp(text, word), track(word.chance), number);
    return item;
  }

  return {
    show({ word }, state) {
      const { data, chosen } = state;
      const asked = Boolean(branch) && askedAbout(state) === chosen; // else the next question is about another caption
      if (word === shown[0] && asked === shown[1]) return;
      if (isHeld(list) && state.words === shown[2]) return; // what is pointed at stays
      shown = [word, asked, state.words];
      panel.classList.toggle('sat-blank', !word);
      if (!word) return;
      name.textContent = nameOf(word);
      chance.classList.toggle('sat-unknown', word.chance === null);
      chance.textContent = chanceInWords(word, captionOf(state));
      const likely = word.alternatives.map(([text, share]) => ({ text, chance: share, end: text === '<end>' }));
      if (!likely.some(({ text }) => text === word.text)) likely.push(word);
      list.replaceChildren(...likely.map((each) => bar(each, word.text, asked)));
      const all = data.grid[0] * data.grid[1];
      const cells = Math.exp(word.entropy);
      focus.style.setProperty('--share', 1 - word.entropy / Math.log(all));
      focusLine.textContent = say('focusLine', {
        cells: cells < 10 ? cells.toFixed(1) : Math.round(cells), all, nats: word.entropy.toFixed(2) });
      gate.style.setProperty('--share', word.gate);
      gateValue.textContent = percent(word.gate, 0);
    },
  };
}
