// What a caption is called: by its settings, or by what was asked.
function settingsName([beam, temperature, seed]) {
  return say(temperature > 0 ? 'drawnName' : 'beamName', { beam, temperature, seed });
}

function originName(caption) {
  if (caption.origin === 'settings') return settingsName(caption.settings);
  return say('origins')[caption.origin] || '';
}

// Whether a question brought it; else the search found it.
function isAnswer({ origin }) {
  return Boolean(origin) && origin !== 'search';
}

// The name of a caption that is shown beside another one; an answer's original is named by what it has of its own.
function paneName(caption, other, place, settings) {
  if (isAnswer(caption)) return originName(caption);
  const own = say('originals')[other.origin];
  if (own) return own;
  const name = settings.length === 3 ? settingsName(caption.settings || settings) : say('caption');
  return place ? say('rankName', { name, rank: place + 1 }) : name;
}

// For each word of two captions, whether the other has no such word at its place in their longest common part.
function differing(one, other) {
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
