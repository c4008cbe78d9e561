// What Python sends, as the page reads it.
import { decodeAlpha } from './field.js';
import { opened } from './state.js';

// The change that a message makes; null if it comes too late or is of another version. Every message holds everything
// but ``asking``: the model works on an answer, and the page keeps what it has; and ``lost``: the server has not.
export function received(state, sent, version) {
  if (!sent) return null;
  const [{ run, phase, ahead, version: its }] = sent;
  if (run < state.data.run || its !== version) return null;
  return phase === 'asking' || phase === 'lost' ? { phase, ahead } : opened(state, unfold(sent));
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
