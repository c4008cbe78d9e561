// Two captions side by side: the second one in step with the first, and what differs in them.
import { changeInWords, pairOf, verdict, weighing, wordVerdict } from '../model/comparison.js';
import { shareIn } from '../model/maps.js';
import { servedAddress } from '../model/messages.js';
import { captionOf, keepableOf, mapOf } from '../model/state.js';
import { say } from '../model/strings.js';
import {
  chanceInWords, conditionsInWords, gain, mapDescription, percent, score, sentence, signed, wordName,
} from '../model/wording.js';
import { label, make, setText, track } from './elements.js';
import { createRegionPicker, createStage } from './stage.js';
import { createWords } from './words.js';

const CHANGE_ROWS = 8;

// The second caption: its photo, map and line of words, on the same clock as the first.
// ``line``: the words of the first. ``on``: what pointing at words does, ``close``, and ``ask``, see `createRegionPicker`.
export function createSecondPane(element, store, line, reduced, on) {
  const own = element.querySelector('.sat-top');
  const ownHead = own.querySelector('.sat-head');
  let pane = null;
  let stage = null;
  let secondLine = null;

  function build() {
    const { data, look, table } = store.get();
    pane = make('div', 'sat-second-pane');
    pane.append(ownHead.cloneNode(false), own.querySelector('.sat-frame').cloneNode(true), make('p', 'sat-caption'));
    const strip = make('ol', 'sat-strip');
    strip.hidden = true;
    pane.append(strip);
    pane.querySelectorAll('.sat-status, .sat-guess-field').forEach((each) => each.remove());
    pane.querySelector('.sat-chips').replaceChildren();
    pane.querySelector('.sat-cursor').hidden = true;
    pane.querySelector('.sat-head').classList.remove('sat-head-main');
    stage = createStage(pane, reduced);
    createRegionPicker(pane.querySelector('.sat-frame'), store, stage, on.ask);
    stage.setLook(look, table);
    stage.setGrid(data.grid);
    secondLine = createWords(pane, on);
  }

  function close() {
    if (pane) pane.remove();
    ownHead.replaceChildren();
    line.underline([]);
    element.classList.remove('sat-paired');
  }

  function title(head, { name, caption }) {
    head.replaceChildren(make('strong', '', name), make('span', 'sat-number', score(caption)));
  }

  function closer() {
    const button = make('button', 'sat-icon sat-close', '×');
    label(button, say('unpair'));
    button.addEventListener('click', on.close);
    return button;
  }

  function open({ own: first, second }, { data }) {
    if (!pane) build();
    if (!pane.isConnected) own.before(pane);
    stage.setGrid(data.grid);
    stage.setPhoto(servedAddress(second.caption.photo || data.photo), data.size);
    pane.querySelector('.sat-photo').alt = sentence(second.words);
    secondLine.fill(second.words, (word) => mapDescription(word, data.grid));
    title(pane.querySelector('.sat-head'), second);
    title(ownHead, first);
    ownHead.append(closer());
    element.classList.add('sat-paired');
    secondLine.underline(second.flags);
    line.underline(first.flags);
  }

  function showRegion({ region, ranked, others, data }) {
    if (pane) secondLine.showShares(region && ranked ? others.map((word) => shareIn(word.alpha, region, data.grid)) : null);
  }

  store.subscribe(['words', 'others'], (state) => {
    const pair = pairOf(state);
    if (pair) open(pair, state);
    else close();
  });
  store.subscribe(['words', 'others', 'region', 'ranked'], showRegion);
  store.subscribe(['look'], ({ look, table }) => pane && stage.setLook(look, table));

  return {
    // The word of the moment, or the last where this caption is shorter.
    show(moment, state) {
      if (!pane || !pane.isConnected) return;
      const { others, playing } = state;
      const index = Math.min(moment.at, others.length - 1);
      secondLine.mark(moment.summed ? -1 : index, playing ? index : others.length);
      stage.aim(mapOf(state, others, moment));
    },
    tick: (elapsed, blend) => Boolean(pane) && pane.isConnected && stage.tick(elapsed, blend),
  };
}

// The answer beside its question: both captions, what differs in them, how likely words became, and whether the next
// question is asked under what was changed.
// ``served``: whether there is somebody to ask.
export function createAnswer(root, store, served) {
  const section = root.querySelector('.sat-answer');
  const list = section.querySelector('.sat-versus');
  const change = section.querySelector('.sat-change');
  const changes = change.querySelector('ol');
  const weighed = section.querySelector('.sat-weighing');
  const keep = section.querySelector('.sat-keep');
  const box = keep.querySelector('input');
  let shown = null; // the pair

  box.addEventListener('change', () => store.set({ keep: box.checked }));

  // ``weighed``: whether it says how likely each word was.
  function captionRow({ caption, words, name, flags }, weighed) {
    const item = make('li');
    const head = make('div', 'sat-versus-name');
    const line = make('p', 'sat-versus-line');
    head.append(make('strong', '', name), make('span', 'sat-number', score(caption)));
    words.forEach((word, index) => {
      const piece = make('span', (flags[index] ? 'sat-differs' : '') + (word.end ? ' sat-end' : ''));
      piece.classList.toggle('sat-unknown', word.chance === null);
      piece.append(make('bdi', '', word.end ? '■' : word.text));
      if (weighed) piece.append(make('small', '', chanceInWords(word, caption)));
      line.append(piece, ' ');
    });
    item.append(head, line);
    return item;
  }

  function showPair(pair) {
    const captions = pair ? [pair.second, pair.own] : [];
    const weighed = captions.some(({ caption }) => caption.origin === 'own');
    list.replaceChildren(...captions.map((each) => captionRow(each, weighed)));
    section.querySelector('.sat-verdict').textContent = pair ? verdict(pair) : '';
  }

  // A word of either sentence; one that the model does not know, and one that is not there, have no bar.
  function weighingRow({ words, figures, difference }, end) {
    const item = make('li');
    const [names, bars, numbers] = ['', 'sat-pairbar', 'sat-number'].map((name) => make('span', name));
    words.forEach((word, side) => {
      const figure = figures[side];
      names.append(make('bdi', '', word ? wordName(word.text) : ''));
      bars.append(figure === null ? make('span') : track(figure / end, side ? 'sat-after' : 'sat-before'));
      numbers.append(make('span', '', figure !== null ? signed(figure.toFixed(2)) : word ? '–' : ''));
    });
    const text = difference === null ? '' : (difference > 0 ? '+' : '') + signed(difference.toFixed(2));
    item.append(names, bars, numbers, make('strong', 'sat-points', text));
    return item;
  }

  function showWeighing(pair) {
    const own = Boolean(pair && pair.answer && pair.answer.caption.origin === 'own');
    weighed.hidden = !own;
    if (!own) return;
    const { rows, end } = weighing(pair);
    weighed.querySelector('.sat-axis-end').textContent = say('nats', { nats: signed(String(end)) });
    weighed.querySelector('ol').replaceChildren(...rows.map((each) => weighingRow(each, end)));
  }

  function changeRow([text, before, after], written) {
    const item = make('li', text === written ? 'sat-chosen' : '');
    const bars = make('span', 'sat-pairbar');
    bars.append(track(before, 'sat-before'), track(after, 'sat-after'));
    item.append(
      make('bdi', '', wordName(text)), bars, make('span', 'sat-number', percent(before) + ' → ' + percent(after)),
      make('strong', 'sat-points', say('points', { points: gain(before, after) })));
    return item;
  }

  // Look elsewhere: the likely words of one step before and after its attention was replaced.
  function showChange(looked) {
    change.hidden = !looked;
    if (!looked) return;
    change.querySelector('.sat-change-title').textContent = say('changeTitle', { number: looked.position + 1 });
    change.querySelector('.sat-change-line').textContent = changeInWords(looked);
    const kept = looked.words.filter(([text], place) => place < CHANGE_ROWS || text === looked.word);
    changes.replaceChildren(...kept.map((each) => changeRow(each, looked.word)));
  }

  store.subscribe(['words', 'others'], (state) => {
    const pair = pairOf(state);
    shown = pair;
    const [caption, other] = [captionOf(state), state.data.captions[state.companion]];
    const looked = caption && (caption.change || (other && other.change));
    section.hidden = !pair && !looked;
    showChange(looked);
    showPair(pair);
    showWeighing(pair);
    const kept = state.data.captions[keepableOf(state)];
    keep.hidden = !served || !kept;
    keep.querySelector('span').textContent = kept ? say('keep', { changes: conditionsInWords(kept.conditions) }) : '';
  });
  store.subscribe(['keep'], (state) => (box.checked = state.keep));

  return {
    // How likely the word of the moment became.
    show({ at }) {
      setText(section.querySelector('.sat-verdict-word'), wordVerdict(shown, at));
    },
  };
}
