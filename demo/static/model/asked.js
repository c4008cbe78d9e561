// What a visitor asks, written down as Python does: who asks the same again goes to the answer that is there.
import { isAnswer, isKeepable } from './wording.js';

const ABOUT_A_WORD = ['word', 'place'];

// What is asked, as plain values; see `Question.asked`.
export function askedOf({ kind, position, region, word, words, sentence, settings }) {
  const details = { word: [position, word], place: [position, ...(region || [])], hide: region || [], own: [sentence], settings, branch: words };
  return [kind, ...(details[kind] || [])];
}

// The caption that it is asked about; see `Question.about`.
function aboutOf(captions, { kind, index, keep }) {
  if (kind === 'branch') return 0;
  const kept = keep && isKeepable(captions[index]);
  return kept || (ABOUT_A_WORD.includes(kind) && !isAnswer(captions[index])) ? index : 0;
}

// The place of the answer to the same question about the same caption; -1 if there is none.
export function answerThere({ captions }, question) {
  if (!captions[question.index]) return -1;
  const about = aboutOf(captions, question);
  const asked = JSON.stringify(askedOf(question));
  return captions.findIndex((each) => each.about === about && JSON.stringify(each.asked) === asked);
}

// The word from which on its answer is worth watching.
export function startOf({ kind, position, words }) {
  return kind === 'branch' ? words.length - 1 : ABOUT_A_WORD.includes(kind) ? position : 0;
}

// The words that were given of a beginning that the search had dropped.
export function begunWith({ origin, asked }) {
  return origin === 'branch' ? asked.slice(1) : [];
}
