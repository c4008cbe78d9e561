// The live camera as the page knows it: what it does, the words over its picture, which of them shows its map.
import { coverageOf, decodeAlpha } from './maps.js';

const WORD_TIME = 700; // milliseconds that a word's map is on show
export const PATIENCE = 20000; // milliseconds that a camera which sees nothing stays on

// Phases: ``off``; ``asking`` for the camera; ``starting``, no caption yet; ``on``; ``waiting``, since others are ahead;
// ``covered``, it sees nothing; ``studying``, a moment becomes a photo; ``ended``, and ``message`` says why.
export const LIVE_OFF = Object.freeze({
  phase: 'off',
  message: '', // the name of a text, or a sentence of the server's
  several: false, // cameras to switch between
  words: [], // text, chance, alpha, peak; without the end
  standing: [], // the words as the server knows them
  grid: [14, 14],
  since: 0, // when these words came, in milliseconds
  held: '', // the word that keeps its map on show
  captions: 0, // frames that were captioned
  changes: 0, // captions that were others than before
  samples: [],
});

const LOOKING = ['starting', 'on', 'waiting', 'covered'];

export function isShowing({ phase }) {
  return phase !== 'off';
}

// Whether the camera is on, and its frames are looked at.
export function isLooking({ phase }) {
  return LOOKING.includes(phase);
}

export function asked() {
  return { ...LIVE_OFF, phase: 'asking' };
}

export function started(live, several) {
  return { ...live, phase: live.words.length ? 'on' : 'starting', several };
}

export function ended(message) {
  return { ...LIVE_OFF, phase: 'ended', message };
}

export function covered(live) {
  return live.phase === 'covered' ? live : { ...live, phase: 'covered', samples: [] };
}

export function studying(live) {
  return { ...live, phase: 'studying' };
}

// The server's answer to a frame that was taken at a time; ``now``, it stands over the picture. A held word stays held
// as long as the caption has it.
export function answered(live, answer, taken, now) {
  if (!answer.words) return { ...live, phase: 'waiting', samples: [] };
  const words = answer.words.filter(([text]) => text !== '<end>').map(([text, chance, map, peak]) => (
    { text, chance, alpha: decodeAlpha(map, peak), peak }));
  const same = live.captions > 0 && !answer.changed;
  return {
    ...live,
    phase: 'on',
    words,
    standing: answer.words.map(([text]) => text),
    grid: answer.grid,
    since: same ? live.since : now,
    held: words.some(({ text }) => text === live.held) ? live.held : '',
    captions: live.captions + 1,
    changes: live.changes + (same ? 0 : 1),
    samples: paced(live.samples, { at: now, delay: now - taken }),
  };
}

// Hold a word's map, or let it go.
export function held(live, text) {
  return { ...live, held: live.held === text ? '' : text };
}

// The place of the word whose map is on show: the held one, or each in its turn; -1 for all of them together, which is
// what whoever wants no motion sees, or for none.
export function wordAt({ words, held: holding, since }, now, reduced) {
  if (holding) return words.findIndex(({ text }) => text === holding);
  if (!words.length || reduced) return -1;
  return Math.floor(Math.max(now - since, 0) / WORD_TIME) % words.length;
}

// The map over the picture and the weight at which its scale ends; null if there is none.
export function liveMap({ words, grid }, index, { looks }) {
  if (!words.length) return null;
  if (index < 0) {
    const alpha = coverageOf(words);
    return { alpha, top: Math.max(...alpha), next: null };
  }
  return { alpha: words[index].alpha, top: Math.max(words[index].peak, looks.sharpest / (grid[0] * grid[1])), next: null };
}

// Whether a picture of grey values shows nothing, as behind a closed cover: all of it dark, and nothing in it.
export function isDark(pixels) {
  let least = 255;
  let most = 0;
  for (let at = 0; at < pixels.length; at += 4) {
    const grey = (pixels[at] + 2 * pixels[at + 1] + pixels[at + 2]) / 4;
    least = Math.min(least, grey);
    most = Math.max(most, grey);
  }
  return most < 24 && most - least < 12;
}

// How fast captions come: of each, when it stood over the picture and how long its frame had waited for it, in
// milliseconds.
const KEPT = 5000; // milliseconds that the figures look back

// One more sample; those that are too old leave.
export function paced(samples, { at, delay }) {
  return [...samples.filter((each) => each.at > at - KEPT), { at, delay }];
}

// Captions a second and the middle delay of late; null while there are too few to say so.
export function paceOf(samples) {
  if (samples.length < 3) return null;
  const span = samples[samples.length - 1].at - samples[0].at;
  if (span <= 0) return null;
  return { rate: (1000 * (samples.length - 1)) / span, delay: percentile(samples.map(({ delay }) => delay), 0.5) };
}

// The value below which such a share of them lies, between neighbours in proportion.
export function percentile(values, share) {
  const sorted = [...values].sort((one, other) => one - other);
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  return sorted[below] + (place - below) * (sorted[Math.min(below + 1, sorted.length - 1)] - sorted[below]);
}
