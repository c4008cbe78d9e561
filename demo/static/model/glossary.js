// Where the words that are explained stand in a text.
const HANGUL = /\p{Script=Hangul}/u;

function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

// No part of a longer word is one, and none in quotes: that is the model's. In Korean a particle may follow.
function bounded(form) {
  return HANGUL.test(form) ? escaped(form) : escaped(form) + '(?!\\p{L})';
}

// ``glossary``: of each name the ``forms`` in which it is written. A pattern with a group for each name.
export function forms(glossary) {
  const names = Object.keys(glossary);
  const groups = names.map((name) => '(' + [...glossary[name].forms].sort((one, other) => other.length - one.length).map(bounded).join('|') + ')');
  return { names, pattern: new RegExp('(?<![“\\p{L}-])(?:' + groups.join('|') + ')(?!”)', 'giu') };
}

// A text in pieces, each with the ``name`` of the word that it is; '' for what lies between.
export function termsIn(text, { names, pattern }) {
  const pieces = [];
  let from = 0;
  for (const found of text.matchAll(pattern)) {
    if (found.index > from) pieces.push({ text: text.slice(from, found.index), name: '' });
    pieces.push({ text: found[0], name: names[found.slice(1).findIndex(Boolean)] });
    from = found.index + found[0].length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), name: '' });
  return pieces;
}
