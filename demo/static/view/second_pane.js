// Two captions in step: a second photo, map and line of words, on the same clock as the first.
import { pairOf } from '../model/comparison.js';
import { shareIn } from '../model/maps.js';
import { servedAddress } from '../model/messages.js';
import { mapOf } from '../model/state.js';
import { say } from '../model/strings.js';
import { mapDescription, score, sentence } from '../model/wording.js';
import { label, make } from './elements.js';
import { createRegionPicker } from './region_picker.js';
import { createStage } from './stage.js';
import { createWords } from './words.js';

// ``line``: the words of the first. ``on``: what pointing at words does, ``close``, and ``ask``, see the region picker.
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
