// Where playback stands: a position in words that moves with time. Knows nothing of the page.
const WORD_TIME = 900; // milliseconds a word at speed 1
const MOVE = 0.4; // the last part of a word's time, in which the map moves on to the next

function createTimeline(reduced) {
  let count = 0;
  let closed = false;
  const state = { position: 0, playing: false, speed: 1, loop: false };

  function clamp(position) {
    return Math.min(Math.max(position, 0), Math.max(count - 1, 0));
  }

  return {
    state,
    reset() {
      count = 0;
      closed = false;
      state.position = 0;
      state.playing = !reduced;
    },
    setCount(words, done) {
      count = words;
      closed = done;
      if (reduced && !done) state.position = clamp(count - 1);
      state.position = clamp(state.position);
    },
    seek(position) {
      state.position = clamp(position);
    },
    jump(position) {
      state.playing = false;
      state.position = clamp(position);
    },
    step(by) {
      state.playing = false;
      state.position = clamp(Math.round(state.position) + by);
    },
    toggle() {
      state.playing = !state.playing;
      if (state.playing && closed && state.position >= count - 1) state.position = 0;
    },
    // Move on by some milliseconds; the last word waits for more, for its own time, or for the loop.
    advance(elapsed) {
      if (!state.playing || count === 0) return;
      const position = state.position + (elapsed * state.speed) / WORD_TIME;
      if (position < count - 1) state.position = position;
      else if (!closed) state.position = count - 1;
      else if (state.loop && position >= count) state.position = 0;
      else if (state.loop) state.position = position;
      else {
        state.position = count - 1;
        state.playing = false;
      }
    },
    // The word now, and how far the map has moved toward the next one.
    now() {
      const step = Math.min(Math.floor(state.position), count - 1);
      const part = state.position - step;
      const moved = reduced || !state.playing ? 0 : Math.max(0, (part - (1 - MOVE)) / MOVE);
      return { step, blend: step + 1 < count ? moved * moved * (3 - 2 * moved) : 0 };
    },
  };
}
