// Two captions side by side: their names, what differs in them, and the size of it.
import { sumOf } from './maps.js';
import { begunWith } from './messages.js';
import { filled, say } from './strings.js';
import {
  answerName, isAnswer, nameOf, nats, percent, pointsBetween, sentence, settingsName, signed, underConditions, wordName,
} from './wording.js';

const HARDLY = 0.01; // a point of probability

// The caption that plays and the one beside it, each with its name and flags of what differs in it; null if there is none.
// ``answer``: the one of the two that answers a question about the other (``about``), if one does.
export function pairOf({ data, chosen, companion, words, others }) {
  if (!others.length) return null;
  const [caption, other] = [data.captions[chosen], data.captions[companion]];
  const [otherFlags, flags] = differing(...[others, words].map((each) => each.map(({ text }) => text)));
  const name = (side, beside, place) => paneName(side, beside, place, data.settings || []);
  const own = { caption, words, flags, name: name(caption, other, chosen) };
  const second = { caption: other, words: others, flags: otherFlags, name: name(other, caption, companion) };
  if (caption.about === companion) return { own, second, answer: own, about: second };
  return other.about === chosen ? { own, second, answer: second, about: own } : { own, second, answer: null, about: null };
}

// The name of a caption that is shown beside another one. What an answer is about is named by what it has of its own, and
// both by what was kept.
function paneName(caption, other, place, settings) {
  if (isAnswer(caption) && other.about !== place) return answerName(caption);
  const conditions = caption.conditions || [];
  const own = say('originals')[other.origin];
  if (own) return underConditions(conditions, own);
  const name = settings.length === 3 ? settingsName(caption.settings || settings) : say('caption');
  return underConditions(conditions, place && !conditions.length ? say('rankName', { name, rank: place + 1 }) : name);
}

// For each word of two captions, whether the other has no such word at its place in their longest common part.
export function differing(one, other) {
  const longest = Array.from({ length: one.length + 1 }, () => new Array(other.length + 1).fill(0));
  for (let i = one.length - 1; i >= 0; i--) {
    for (let j = other.length - 1; j >= 0; j--) {
      const same = one[i] === other[j];
      longest[i][j] = same ? longest[i + 1][j + 1] + 1 : Math.max(longest[i + 1][j], longest[i][j + 1]);
    }
  }
  const flags = [one.map(() => true), other.map(() => true)];
  for (let i = 0, j = 0; i < one.length && j < other.length;) {
    if (one[i] === other[j]) flags[0][i++] = flags[1][j++] = false;
    else if (longest[i + 1][j] >= longest[i][j + 1]) i++;
    else j++;
  }
  return flags;
}

// The words of two captions in rows: one of their longest common part beside itself; of what lies between, the first
// beside the first, the second beside the second; null beside what is left over.
export function aligned(one, other) {
  const [flags, others] = differing(...[one, other].map((words) => words.map(({ text }) => text)));
  const rows = [];
  for (let i = 0, j = 0; i < one.length || j < other.length;) {
    const [left, right] = [i < one.length && flags[i], j < other.length && others[j]];
    rows.push([left || !right ? one[i++] : null, right || !left ? other[j++] : null]);
  }
  return rows;
}

// Each word of the model's sentence and of one's own on one axis from 0 to ``end`` nats: rows of words, their
// log-probabilities as they are shown, and the difference of those; null where there is no number.
export function weighing({ about, answer }) {
  const rows = aligned(about.words, answer.words).map((words) => {
    const figures = words.map((word) => (word && word.chance !== null ? Number(Math.log(word.chance).toFixed(2)) : null));
    const difference = figures.includes(null) ? null : Number((figures[1] - figures[0]).toFixed(2));
    return { words, figures, difference };
  });
  return { rows, end: -Math.max(1, Math.ceil(-Math.min(...rows.flatMap(({ figures }) => figures)))) };
}

// What the comparison comes to: its size, and no cause.
export function verdict({ own, second, answer, about }) {
  const unchanged = ![...own.flags, ...second.flags].includes(true);
  const words = say(unchanged ? 'sameWords' : 'otherWords');
  if (!answer) return words;
  const { origin, same, conditions } = answer.caption;
  const [before, after] = [about, answer].map(({ caption }) => rounded(caption.log_prob));
  if (answer.caption.unknown) return unknownVerdict(answer.caption.unknown, before) + ' ' + words;
  if (same) {
    const now = unchanged ? say('nowSame') : say('now', { caption: sentence(answer.words), nats: after });
    return say('sameSentence', { before, after: rounded(sumOf(same)), how: say('circumstances')[origin], now });
  }
  return filled(say('sizes')[origin], { before, after, ...(origin === 'word' && saidWords(about, answer, conditions)),
    ...(origin === 'branch' && { begun: begunInWords(answer.caption) }) })
    + ' ' + words;
}

function begunInWords(caption) {
  return begunWith(caption).filter((word) => word !== '<end>').join(' ');
}

// A sentence with words that the model does not know is not compared: it has no total.
function unknownVerdict({ words, known }, before) {
  const named = words.map((each) => say('quoted', { word: each })).join(', ');
  return say('unknownSize', { before, words: named, count: known.toLocaleString('en') });
}

// The word that was said, and the one in whose place it was, with their probabilities.
function saidWords(about, answer, conditions) {
  const [, position] = conditions[conditions.length - 1];
  const [old, said] = [about, answer].map(({ words }) => words[position]);
  return { old: nameOf(old), was: percent(old.chance), said: nameOf(said), is: percent(said.chance) };
}

// A word of the caption that was asked about: its probability there, and where the answer was written.
export function wordVerdict(pair, at) {
  const { answer, about } = pair || {};
  if (!answer || !answer.caption.same) return '';
  const index = Math.min(Math.max(at, 0), about.words.length - 1);
  const word = about.words[index];
  const after = Math.exp(answer.caption.same[index]);
  return say('wordSize', { word: nameOf(word), before: percent(word.chance), after: percent(after) });
}

function rounded(number) {
  return number === null ? '–' : signed(number.toFixed(1));
}

// What looking elsewhere did to a step's likely words, each as (text, chance before, chance after).
export function changeInWords({ word, words }) {
  const [, before, after] = words.find(([text]) => text === word);
  const most = words.reduce((best, each) => (each[2] - each[1] > best[2] - best[1] ? each : best));
  const hardly = words.every(([, from, to]) => Math.abs(to - from) < HARDLY && Math.abs(pointsBetween(from, to)) < 1);
  if (hardly) return say('changeNone', { word: wordName(word), before: nats(before), after: nats(after) });
  const own = say('changeWord', { word: wordName(word), before: percent(before), after: percent(after) });
  const [text, from, to] = most;
  if (text === word || to <= from) return own;
  return own + ' ' + say('changeRise', { word: wordName(text), before: percent(from), after: percent(to) });
}
