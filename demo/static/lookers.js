// A place on the photo was chosen: the words that looked there, most first.
const LOOKERS = 5;

function createLookers(root, on) {
  const section = root.querySelector('.sat-lookers');
  const list = section.querySelector('ol');
  let shown = '';

  section.querySelector('.sat-lookers-close').addEventListener('click', on.clear);

  function row({ word, share, index }, top) {
    const item = document.createElement('li');
    const button = document.createElement('button');
    const name = document.createElement('bdi');
    const number = document.createElement('span');
    button.type = 'button';
    button.style.setProperty('--share', top > 0 ? share / top : 0);
    name.textContent = word.end ? '■ ' + say('end') : word.text;
    number.className = 'sat-number';
    number.textContent = percent(share, 1);
    button.append(name, number);
    button.addEventListener('click', () => on.pin(index));
    item.append(button);
    return item;
  }

  return {
    // ``shares``: of each word's attention, or null if no place is chosen; ``even``: what no preference would give.
    show(words, shares, even) {
      const key = JSON.stringify([shares && Array.from(shares), sentence(words)]);
      if (key === shown) return;
      shown = key;
      section.hidden = !shares || !words.length;
      if (section.hidden) return;
      section.querySelector('span').textContent = say('lookers', { even: percent(even, 1) });
      const ranked = ranking(shares).slice(0, LOOKERS).map((index) => ({ word: words[index], share: shares[index], index }));
      list.replaceChildren(...ranked.map((each) => row(each, ranked[0].share)));
    },
  };
}

// Places of the largest first; equals keep their order.
function ranking(shares) {
  return [...shares.keys()].sort((one, other) => shares[other] - shares[one]);
}

function regionSize([top, left, bottom, right]) {
  return (bottom + 1 - top) * (right + 1 - left);
}
