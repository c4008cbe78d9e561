// The frames: moves time on, shows the word of the moment everywhere, and rests when nothing moves.
function createPlayback(root, state, parts) {
  const { timeline, stage, line, mind, whatIf, beside, tree, cells, lecture, numbers } = parts;
  const topOf = (word) => state.topOf(word);
  let last = null;
  let request = null;
  let changed = true; // since the last frame, by something else than time
  let shownWord = null;
  let shownStep = null;
  let shownPlaying = null;

  function mirror(step) {
    const { data, companion, look } = state;
    const mirrored = {
      run: data.run, phase: data.phase, count: state.words.length, step, playing: timeline.state.playing,
      preview: state.preview ?? '', caption: state.chosen, beside: companion < 0 ? '' : companion,
      coverage: state.coverage, mode: look.mode, scale: look.scale,
    };
    for (const [name, value] of Object.entries(mirrored)) {
      if (root.dataset[name] !== String(value)) root.dataset[name] = value;
    }
  }

  // The word of the moment, everywhere. It is called when that changes; `frame` moves what time moves within a word.
  function show(step) {
    const { words, preview } = state;
    const previewed = preview !== null && preview < state.count();
    const at = previewed ? preview : step;
    const index = Math.min(at, words.length - 1);
    const summed = state.coverage && !previewed;
    const playing = timeline.state.playing;
    line.mark(summed ? -1 : index, state.data.done && !playing ? words.length : Math.max(step, index));
    parts.controls.show(timeline.state, state.count(), state.coverage);
    tree.mark(index);
    mirror(step);
    showMind(words[index], index);
    beside.show(at, !previewed, summed, topOf, playing);
    aim(index, index === step && !previewed ? words[index + 1] : null, summed);
  }

  function showMind(word, index) {
    if (shownWord !== word) {
      mind.show(word, state.data.grid);
      whatIf.show(word);
    }
    shownWord = word;
    if (word) showEquations(word, index);
  }

  function aim(index, next, summed) {
    const word = state.words[index];
    if (!word) return stage.aim(null, 1);
    if (summed) return showCoverage();
    parts.controls.drawLegend(state.table, topOf(word), 1 / word.alpha.length, say('none'));
    return aimBetween(stage, word, next, topOf);
  }

  function showCoverage() {
    const sum = coverageOf(state.words);
    const top = Math.max(...sum);
    parts.controls.drawLegend(state.table, top, state.words.length / sum.length, say('even'));
    stage.aim(sum, top);
  }

  // Lecture mode: numbers of the cell pointed at, else of the chosen one, else of the strongest.
  function showEquations(word, index) {
    if (!lecture.on()) return;
    const { data, words, chosen } = state;
    const region = cells.region();
    const strongest = word.alpha.indexOf(Math.max(...word.alpha));
    const cell = cells.pointed() || (region ? { row: region[0], column: region[1] }
      : { row: Math.floor(strongest / data.grid[1]), column: strongest % data.grid[1] });
    const asked = (position) => ({ run: data.run, index: chosen, position });
    const known = numbers && state.caption() && numbers.of(asked(index));
    if (known && index + 1 < words.length) numbers.of(asked(index + 1)); // so that the next word need not wait
    lecture.show(word, words[index - 1], cell, data.grid, known);
  }

  function frame(time) {
    const elapsed = last === null ? 16 : Math.min(time - last, 100);
    last = time;
    timeline.advance(elapsed);
    const { step, blend } = timeline.now();
    const { playing } = timeline.state;
    const stale = changed || step !== shownStep || playing !== shownPlaying;
    [changed, shownStep, shownPlaying] = [false, step, playing];
    if (stale) show(step);
    parts.controls.seek(timeline.state.position, state.count());
    const moving = stage.tick(elapsed, blend);
    const movingBeside = beside.tick(elapsed, blend);
    const going = moving || movingBeside || (playing && state.words.length > 0);
    request = going && root.isConnected ? requestAnimationFrame(frame) : null;
    if (!request) last = null;
  }

  return {
    wake() {
      changed = true;
      if (!request) request = requestAnimationFrame(frame);
    },
  };
}
