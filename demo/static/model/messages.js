// What travels between the page and Python: messages and files as the page reads them, the address, and what a visitor asks,
// written down as Python does.
import { decodeAlpha } from './maps.js';
import { isAnswer, isKeepable } from './wording.js';

// The inverse of Python's WordPool: from words that were sent once to whole captions.
export function unfold([value]) {
  const words = value.words.map((sent) => parsed(sent, value.words));
  const read = (places) => places.map((place) => words[place]);
  return {
    ...value,
    tree: { branches: [], race: [], ...value.tree },
    words: read(value.shown),
    captions: value.captions.map((caption) => ({ ...caption, words: read(caption.words) })),
  };
}

// A word's map may be an earlier word's, since the model looks first and then chooses.
function parsed([text, chance, seen], words) {
  const { a, m, h, b, alt } = typeof seen === 'number' ? words[seen][2] : seen;
  return {
    text, end: text === '<end>', chance, alpha: decodeAlpha(a, m), map: a, peak: m, entropy: h, gate: b, alternatives: alt };
}

// Where a file of the server's is, seen from this page: behind a proxy, the server may not know the scheme and the host
// that the visitor asked for, and an https page may not load http.
export function servedAddress(file) {
  const start = file.url.indexOf('/gradio_api/');
  return start < 0 ? file.url : globalThis.location.pathname.replace(/\/$/, '') + file.url.slice(start);
}

// What the address says of what is on the page, so that it can be restored; a photo of the visitor's own stays here.
export const OWN = 'own';

export function addressOf(settings, example) {
  const [beam, temperature, seed] = settings.map(String);
  return { beam, temperature, seed, photo: example || OWN };
}

// Whether an address asks for nothing but that; as ``same_address`` in Python.
export function isAskedFor(search, settings, example) {
  const asked = new URLSearchParams(search);
  return Object.entries(addressOf(settings, example)).every(([name, value]) => (asked.get(name) ?? value) === value);
}

// What a page begins with: the first answer; or, if its address asks for something else, its photo until that comes, and
// nothing until the visitor's own does.
export function onArrival(sent, search) {
  const [value] = sent;
  if (!value.done || isAskedFor(search, value.settings, value.example)) return sent;
  const photo = new URLSearchParams(search).get('photo') === OWN ? null : value.photo;
  return [{
    ...value, photo, run: 0, phase: 'looking', example: '', settings: [], words: [], shown: [], captions: [], tree: {},
    familiar: {}, done: false }];
}

// --- questions: who asks the same again goes to the answer that is there

const ABOUT_A_WORD = ['word', 'place'];

// What is asked, as plain values; see `Question.asked`.
function askedOf({ kind, position, region, word, words, sentence, settings }) {
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
