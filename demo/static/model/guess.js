// Where will it look? A guess is a set of cells of one word's map, made before the map is shown: how much of the attention
// lies in it, what as many cells of an even map would hold, and what that is worth.
import { sumOf } from './maps.js';
import { pointsBetween } from './wording.js';

export const SIDES = ['A', 'B'];

// ``sides``: how many guess. ``cursor``: the cell that keys have led to. ``played``: the rounds of each caption, by
// `captionKey`, a round a word; they are kept as long as the tab is there, and nowhere else.
export const NO_GUESS = { on: false, sides: 1, cursor: null, played: {} };

// ``turn``: the side that guesses. ``found``: of each side its share, chance and points, once the map is shown.
const NEW_ROUND = { cells: [[], []], turn: 0, found: null };

// The share of a map's attention in some cells.
export function shareOf(alpha, cells) {
  return sumOf(cells.map((at) => alpha[at])) / sumOf(alpha);
}

// What as many cells hold of an even map.
export function chanceOf(cells, alpha) {
  return cells.length / alpha.length;
}

export function findingOf(alpha, cells) {
  const [share, chance] = [shareOf(alpha, cells), chanceOf(cells, alpha)];
  return { share, chance, points: pointsBetween(chance, share) };
}

// The cells with others marked or unmarked, in order and each once.
export function painted(cells, others, marks) {
  const kept = cells.filter((at) => !others.includes(at));
  return (marks ? [...kept, ...others] : kept).sort((one, other) => one - other);
}

// The cells at most so far from one, along either side.
export function brush({ row, column }, [rows, columns], reach) {
  const cells = [];
  for (let y = Math.max(row - reach, 0); y <= Math.min(row + reach, rows - 1); y++) {
    for (let x = Math.max(column - reach, 0); x <= Math.min(column + reach, columns - 1); x++) cells.push(y * columns + x);
  }
  return cells;
}

// The same words with the same maps are the same caption, whenever it was found.
function captionKey(words) {
  return words.map(({ text, map }) => text + ' ' + map).join('\n');
}

// Words change while the search goes on: nothing is guessed before it has ended.
export function isGuessable({ guess, data, words }) {
  return guess.on && data.done && words.length > 0;
}

function roundsOf({ guess, words }) {
  return guess.played[captionKey(words)] || [];
}

// The round of a word.
export function roundAt(state, at) {
  const round = roundsOf(state)[at] || NEW_ROUND;
  return { ...round, turn: Math.min(round.turn, state.guess.sides - 1) };
}

// Whether the map of a moment is still to be guessed.
export function isSecret(state, { index, summed = false }) {
  return state.guess.on && (!isGuessable(state) || summed || !roundAt(state, index).found);
}

function withRound({ guess, words }, at, round) {
  const key = captionKey(words);
  const rounds = [...(guess.played[key] || [])];
  rounds[at] = round;
  return { guess: { ...guess, played: { ...guess.played, [key]: rounds } } };
}

// Some cells are marked or unmarked for the side whose turn it is.
export function guessed(state, at, others, marks) {
  const round = roundAt(state, at);
  if (!isGuessable(state) || round.found) return {};
  const cells = round.cells.map((each, side) => (side === round.turn ? painted(each, others, marks) : each));
  return withRound(state, at, { ...round, cells });
}

// The side has guessed: the next one's turn, or the map is shown. Nothing where no cell is marked.
export function settled(state, at) {
  const round = roundAt(state, at);
  if (!isGuessable(state) || round.found || !round.cells[round.turn].length) return {};
  if (round.turn + 1 < state.guess.sides) return withRound(state, at, { ...round, turn: round.turn + 1 });
  const { alpha } = state.words[at];
  const found = round.cells.slice(0, state.guess.sides).map((cells) => findingOf(alpha, cells));
  return withRound(state, at, { ...round, found });
}

// Of each side: the words of this caption that it has guessed, their mean share and chance, their points, and the points of
// all captions of this tab.
export function tally(state) {
  const everywhere = Object.values(state.guess.played).flat();
  return SIDES.slice(0, state.guess.sides).map((side, index) => {
    const of = (rounds) => rounds.map((round) => round && round.found && round.found[index]).filter(Boolean);
    const here = of(roundsOf(state));
    const mean = (name) => (here.length ? sumOf(here.map((each) => each[name])) / here.length : 0);
    return { side, words: here.length, share: mean('share'), chance: mean('chance'), points: pointsIn(here), total: pointsIn(of(everywhere)) };
  });
}

// Whole tenths, whatever the sum of fractions says.
function pointsIn(findings) {
  return Number(sumOf(findings.map(({ points }) => points)).toFixed(1));
}
