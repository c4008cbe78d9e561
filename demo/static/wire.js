// The inverse of Python's WordPool: from words that were sent once to whole captions. A word's map may be an
// earlier word's, since the model looks first and then chooses.
function unfold([value]) {
  const word = (place) => {
    const [text, chance, map] = value.words[place];
    return { w: text, p: chance, end: text === '<end>', ...(map.a ? map : value.words[map][2]) };
  };
  return {
    ...value,
    tree: { branches: [], race: [], ...value.tree },
    words: value.shown.map(word),
    captions: value.captions.map((caption) => ({ ...caption, words: caption.words.map(word) })),
  };
}
