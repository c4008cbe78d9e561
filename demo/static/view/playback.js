// The frames: moves time on, shows the word of the moment everywhere, and rests when nothing moves.
import { countOf, mapOf, momentOf } from '../model/state.js';

const MOST = 100; // milliseconds that a frame may stand for

// ``views``: each shows a moment. ``stage``, ``secondPane``: maps that glide. ``controls``, ``strip``: follow time.
export function createPlayback(root, store, timeline, { views, stage, secondPane, controls, strip }) {
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
    const elapsed = last === null ? 16 : Math.min(time - last, MOST);
    last = time;
    timeline.advance(elapsed);
    if (changed) {
      changed = false;
      show();
    }
    const state = store.get();
    controls.seek(timeline.position(), countOf(state));
    strip.follow(state, timeline.position());
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
