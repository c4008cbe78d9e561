// Where playback stands: a position in words that moves with time, and the step it has come to. Knows nothing of the page.
const WORD_TIME = 900; // milliseconds a word at speed 1
const MOVE = 0.4; // the last part of a word's time, in which the map moves on to the next

// ``store`` has the fields playing, speed, loop and step. ``reduced``: who wants no motion sees words, not moves.
export function createTimeline(store, reduced) {
  let position = 0;
  let count = 0;
  let closed = false; // no more words come

  function place(wanted, playing) {
    position = wanted;
    store.set({ playing, step: Math.min(Math.floor(position), count - 1) });
  }

  function move(wanted, playing = store.get().playing) {
    place(Math.min(Math.max(wanted, 0), Math.max(count - 1, 0)), playing);
  }

  return {
    position: () => position,
    reset() {
      count = 0;
      closed = false;
      move(0, !reduced);
    },
    setCount(words, done) {
      count = words;
      closed = done;
      move(reduced && !done ? count - 1 : position);
    },
    // Go to a word, and play on or wait there.
    jump: (wanted, playing = false) => move(wanted, playing),
    step: (by) => move(Math.round(position) + by, false),
    toggle() {
      const playing = !store.get().playing;
      move(playing && closed && position >= count - 1 ? 0 : position, playing);
    },
    // Move on by some milliseconds; the last word waits for more, for its own time, or for the loop.
    advance(elapsed) {
      const { playing, speed, loop } = store.get();
      if (!playing || count === 0) return;
      const wanted = position + (elapsed * speed) / WORD_TIME;
      if (wanted < count - 1 || !closed) move(wanted);
      else if (!loop) move(count - 1, false);
      else if (wanted >= count) move(0);
      else place(wanted, true); // the last word's own time
    },
    // How far the map has moved toward the next word's.
    blend() {
      const { playing, step } = store.get();
      if (reduced || !playing || step + 1 >= count) return 0;
      const moved = Math.max(0, (position - step - (1 - MOVE)) / MOVE);
      return moved * moved * (3 - 2 * moved);
    },
  };
}
