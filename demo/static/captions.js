// Which captions are on the page: the one that plays, and another beside it.
function createCaptions(root, state, parts) {
  const { timeline, stage, line, beside, answer, race, tree, cells, whatIf, playback } = parts;
  const photo = root.querySelector('.sat-photo');
  const pairButton = root.querySelector('.sat-pair');

  // The words of the caption that is played: the leader's, or those of another that was found.
  function read() {
    const { data } = state;
    const caption = state.caption();
    const own = caption && caption.photo;
    state.words = (caption ? caption.words : data.words).map(parsed);
    if (data.photo) stage.setPhoto((own || data.photo).url, data.size);
    line.fill(state.words, data.grid);
    readCompanion(caption, data.captions[state.companion]);
    timeline.setCount(state.count(), data.done);
    race.mark(state.chosen);
    pairButton.hidden = data.captions.length < 2;
    pairButton.setAttribute('aria-pressed', String(state.companion >= 0));
    root.querySelector('.sat-cut').textContent = caption && !caption.finished ? say('cut') : '';
  }

  function readCompanion(caption, other) {
    const { data } = state;
    const change = caption && (caption.change || (other && other.change));
    state.others = caption && other ? other.words.map(parsed) : [];
    if (!state.others.length) {
      beside.close();
      return answer.show(null, change);
    }
    const named = (each, its, words) => ({
      caption: each, words, name: paneName(each, its, data.captions.indexOf(each), data.settings || []) });
    const pair = { own: named(caption, other, state.words), second: named(other, caption, state.others) };
    const texts = [pair.second, pair.own].map(({ words }) => words.map((word) => word.text));
    [pair.second.flags, pair.own.flags] = differing(...texts);
    const asked = [caption, other].find(isAnswer);
    if (asked) whatIf.open(asked.origin);
    else whatIf.release();
    beside.open(pair, { url: (other.photo || data.photo).url, size: data.size, grid: data.grid, look: state.look });
    return answer.show(pair, change);
  }

  function refresh() {
    line.drawThumbs(state.words, photo, state.data.grid, (word) => state.topOf(word), state.table);
    showShares(cells.region());
    playback.wake();
  }

  // Says on each word how much of its attention lies in the region that is marked.
  function showShares(region) {
    const { words, data } = state;
    const shares = region && words.map((word) => shareIn(word.alpha, region, data.grid));
    whatIf.enable(data.done && words.length > 0, region);
    line.showShares(shares);
    parts.lookers.show(words, shares, region && regionSize(region) / (data.grid[0] * data.grid[1]));
    beside.showRegion(region);
  }

  // The chosen caption and another one side by side, or (-1) no longer.
  function pair(index) {
    state.companion = index;
    read();
    refresh();
  }

  return {
    read,
    refresh,
    showShares,
    pair,
    togglePair() {
      if (state.companion >= 0 || state.data.captions.length < 2) pair(-1);
      else pair(state.chosen === 0 ? 1 : 0);
    },
    choose(index, step, playing) {
      if (index === state.companion) state.companion = state.chosen;
      state.chosen = index;
      read();
      tree.light(index);
      timeline.seek(step);
      timeline.state.playing = playing;
      refresh();
    },
  };
}
