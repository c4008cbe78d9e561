// Look elsewhere: the likely words of one step before and after its attention was replaced.
const CHANGE_ROWS = 8;
const HARDLY = 0.01; // a point of probability

function createChange(element) {
  const section = element.querySelector('.sat-change');
  const list = section.querySelector('ol');

  function track(name, chance) {
    const bar = document.createElement('span');
    bar.className = 'sat-track ' + name;
    bar.style.setProperty('--share', chance);
    return bar;
  }

  function row([text, before, after], written) {
    const item = document.createElement('li');
    const name = document.createElement('bdi');
    const bars = document.createElement('span');
    const numbers = document.createElement('span');
    const points = document.createElement('strong');
    item.classList.toggle('sat-chosen', text === written);
    name.textContent = wordName(text);
    bars.className = 'sat-pairbar';
    bars.append(track('sat-before', before), track('sat-after', after));
    numbers.className = 'sat-number';
    numbers.textContent = percent(before) + ' → ' + percent(after);
    points.className = 'sat-points';
    points.textContent = say('points', { points: gain(after - before) });
    item.append(name, bars, numbers, points);
    return item;
  }

  function tell({ word, words }) {
    const [, before, after] = words.find(([text]) => text === word);
    const most = words.reduce((best, each) => (each[2] - each[1] > best[2] - best[1] ? each : best));
    if (words.every((each) => Math.abs(each[2] - each[1]) < HARDLY)) return say('changeNone', { word: wordName(word) });
    const own = say('changeWord', { word: wordName(word), before: percent(before), after: percent(after) });
    const [text, from, to] = most;
    if (text === word || to <= from) return own;
    return own + ' ' + say('changeRise', { word: wordName(text), before: percent(from), after: percent(to) });
  }

  return {
    show(change) {
      section.hidden = !change;
      if (!change) return;
      section.querySelector('.sat-change-title').textContent = say('changeTitle', { number: change.position + 1 });
      section.querySelector('.sat-change-line').textContent = tell(change);
      const kept = change.words.filter(([text], place) => place < CHANGE_ROWS || text === change.word);
      list.replaceChildren(...kept.map((each) => row(each, change.word)));
    },
  };
}

function wordName(text) {
  return text === '<end>' ? '■ ' + say('end') : text;
}

// Percentage points with their sign.
function gain(difference) {
  const points = 100 * difference;
  const shown = signed(points.toFixed(Math.abs(points) < 9.95 ? 1 : 0));
  return points > 0 && !/^0(\.0)?$/.test(shown) ? '+' + shown : shown;
}
