// Playing a caption: the buttons and keys that wish it, and the frames that show it.
import { isShowing } from '../model/live.js';
import { countOf, mapOf, momentOf } from '../model/state.js';
import { say } from '../model/strings.js';
import { percent } from '../model/wording.js';
import { paintField, press, setAttribute, setText } from './elements.js';

export const TYPING = 'input:not([type="range"], [type="button"], [type="checkbox"]), textarea, select, dialog, ' +
  '[contenteditable="true"], [role="listbox"], [role="combobox"]';

const FRAME = 100; // milliseconds that one may stand for at most
const LIVE_KEYS = [' ', 'f', 'l', 'Escape']; // the others are of a caption that is not on show while the camera is

// Buttons, keys and the looks; they speak to the player through the handlers given.
export function createControls(element, store, on) {
  const find = (name) => element.querySelector('.sat-' + name);
  const scrub = find('scrub');
  const [head, done] = ['head', 'done'].map((name) => element.querySelector('.sat-rail-' + name));
  const [play, loop, coverageButton] = ['play', 'loop', 'coverage'].map(find);
  const [legend, colours, most] = ['legend-mark', 'legend-colours', 'legend-top'].map(find);
  const scale = find('legend');
  const ramp = Float32Array.from({ length: 256 }, (none, index) => index / 255);
  let drawn = null;
  let headAt = null;

  find('play').addEventListener('click', on.toggle);
  find('previous').addEventListener('click', () => on.step(-1));
  find('next').addEventListener('click', () => on.step(1));
  find('loop').addEventListener('click', () => on.loop());
  find('full').addEventListener('click', on.lecture);
  find('coverage').addEventListener('click', on.coverage);
  find('pair').addEventListener('click', on.pair);
  find('speed').addEventListener('change', (event) => on.speed(Number(event.target.value)));
  scrub.addEventListener('input', () => on.seek(Number(scrub.value)));
  find('opacity').addEventListener('input', (event) => on.look({ opacity: Number(event.target.value) }));
  const looks = [...element.querySelectorAll('[data-look]')].map((button) => ({ button, look: JSON.parse(button.dataset.look) }));
  looks.forEach(({ button, look }) => button.addEventListener('click', () => on.look(look)));
  store.subscribe(['look'], (state) => {
    for (const { button, look } of looks) press(button, Object.keys(look).every((name) => look[name] === state.look[name]));
  });

  const keys = {
    ' ': on.toggle, ArrowRight: () => on.step(1), ArrowLeft: () => on.step(-1),
    Home: () => on.jump(0), End: () => on.jump(Infinity), f: on.lecture, c: on.coverage, b: on.pair, n: on.reveal, m: on.looks, l: on.live, t: on.lesson, Escape: on.leave,
  };

  // Whether a key is meant for what has the focus: all keys where one types; those that move a slider or press a button,
  // if one came there by keys. Who clicked it with a mouse is done with it.
  function keeps(target, key) {
    if (target.closest(TYPING)) return true;
    const slider = target !== scrub && target.closest('input[type="range"]');
    if (slider) return slider.matches('.sat-opacity, :focus-visible') && key !== ' ' && key.length > 1;
    const button = target.closest('button, a, summary, [type="checkbox"], [role="button"], [role="tab"]');
    return Boolean(button) && key === ' ' && (button.matches(':focus-visible') || element.contains(button)) &&
      !target.closest('.sat-word, .sat-thumb');
  }

  function onKey(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (keeps(event.target, event.key)) return;
    const digit = /^[0-9]$/.test(event.key) ? (Number(event.key) + 9) % 10 : null;
    const action = digit === null ? keys[event.key] : () => on.jump(digit);
    if (!action || (isShowing(store.get().live) && !LIVE_KEYS.includes(event.key))) return;
    event.preventDefault();
    action();
  }
  document.addEventListener('keydown', onKey);

  return {
    show(state, position) {
      const count = countOf(state);
      const text = say(state.playing ? 'pause' : 'play');
      setAttribute(play, 'aria-label', text);
      setAttribute(play, 'title', text + ' (' + say('keys') + ')');
      press(coverageButton, state.coverage);
      press(loop, state.loop);
      setAttribute(scrub, 'max', String(Math.max(count - 1, 0)));
      if (scrub.disabled !== (count === 0)) scrub.disabled = count === 0;
      if (document.activeElement !== scrub || state.playing) scrub.value = position;
    },
    // The head alone follows time, by transforms: the range's own thumb would have the page laid out for every frame.
    seek(position, count) {
      const share = count > 1 ? Math.min(position / (count - 1), 1) : 0;
      if (share === headAt) return;
      headAt = share;
      head.style.transform = `translateX(${100 * share}%)`;
      done.style.transform = `translateX(${100 * share - 100}%)`;
    },
    // The scale of a map, with a mark at the weight of a cell if no cell were preferred.
    drawLegend({ alpha, top }, { summed }, { table, words }) {
      const even = (summed ? words.length : 1) / alpha.length;
      if (table !== drawn) paintField(colours, ramp, ramp.length, 1, 1, table);
      drawn = table;
      setText(most, percent(top, 1));
      setAttribute(scale, 'aria-label', say('legend') + ': 0 – ' + percent(top, 1));
      const left = Math.min(100, (100 * even) / top).toFixed(1) + '%';
      if (legend.style.left !== left) legend.style.left = left;
      setText(legend.firstElementChild, say(summed ? 'even' : 'none') + ' ' + percent(even, 1));
    },
  };
}

// The frames: moves time on, shows the word of the moment everywhere, and rests when nothing moves.
// ``views``: each shows a moment. ``stage``, ``secondPane``: maps that glide. ``controls``, ``howItWorks``: follow time.
export function createPlayback(root, store, timeline, { views, stage, secondPane, controls, howItWorks }) {
  let last = null;
  let request = null;
  let changed = true; // since the last frame, by time or by something else

  // The state as marks that style sheets and tests read; nothing here reads them back.
  function mark(state) {
    const { data, companion, look } = state;
    const marks = {
      run: data.run, phase: state.phase, count: state.words.length, step: state.step, playing: state.playing,
      preview: state.preview ?? '', caption: state.chosen, beside: companion < 0 ? '' : companion,
      coverage: state.coverage, mode: look.mode, scale: look.scale,
    };
    for (const [name, value] of Object.entries(marks)) {
      if (root.dataset[name] !== String(value)) root.dataset[name] = value;
    }
  }

  // What changes with the word of the moment; `frame` moves what time moves within a word.
  function show() {
    const state = store.get();
    const moment = momentOf(state);
    const map = mapOf(state, state.words, moment);
    controls.show(state, timeline.position());
    if (map) controls.drawLegend(map, moment, state);
    mark(state);
    for (const view of views) view.show(moment, state);
    stage.aim(map);
  }

  function frame(time) {
    const elapsed = last === null ? 16 : Math.min(time - last, FRAME);
    last = time;
    timeline.advance(elapsed);
    if (changed) {
      changed = false;
      show();
    }
    const state = store.get();
    controls.seek(timeline.position(), countOf(state));
    howItWorks.follow(state, timeline.position());
    const blend = timeline.blend();
    const moving = [stage, secondPane].map((each) => each.tick(elapsed, blend)).includes(true);
    const going = moving || (state.playing && state.words.length > 0);
    request = going && root.isConnected ? requestAnimationFrame(frame) : null;
    if (!request) last = null;
  }

  function wake() {
    changed = true;
    if (!request) request = requestAnimationFrame(frame);
  }

  store.subscribe(null, wake);
  return { wake };
}
