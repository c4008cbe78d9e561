// What the model considered for the current word: likeliest words, focus, gate.
function createMind(element, on) {
  const list = element.querySelector('.sat-bars');
  const parts = Object.fromEntries(['word', 'chance', 'focus', 'focus-line', 'gate', 'gate-value'].map((name) => [
    name, element.querySelector('.sat-mind-' + name)]));

  // A runner-up is a button: the model goes on from there.
  function branch(name, text, end) {
    const button = document.createElement('button');
    button.type = 'button';
    button.title = say('goOn', { word: end ? say('end') : text });
    button.append(name);
    button.addEventListener('click', () => on.branch(text));
    return button;
  }

  function bar(text, chance, chosen, end) {
    const item = document.createElement('li');
    item.classList.toggle('sat-chosen', chosen);
    const name = document.createElement('bdi');
    name.textContent = end ? '■ ' + say('end') : text;
    const track = document.createElement('span');
    track.className = 'sat-track';
    track.style.setProperty('--share', chance);
    const number = document.createElement('span');
    number.className = 'sat-number';
    number.textContent = percent(chance);
    item.append(chosen || !on.branch ? name : branch(name, text, end), track, number);
    return item;
  }

  return {
    show(word, grid) {
      element.querySelector('.sat-mind').classList.toggle('sat-blank', !word);
      if (!word) return;
      parts.word.textContent = word.end ? say('end') : word.text;
      parts.chance.textContent = percent(word.chance);
      const rows = word.alternatives.map(([text, chance]) => bar(text, chance, text === word.text, text === '<end>'));
      if (!word.alternatives.some(([text]) => text === word.text)) rows.push(bar(word.text, word.chance, true, word.end));
      list.replaceChildren(...rows);
      const all = grid[0] * grid[1];
      const cells = Math.exp(word.entropy);
      parts.focus.style.setProperty('--share', 1 - word.entropy / Math.log(all));
      parts['focus-line'].textContent = say('focusLine', {
        cells: cells < 10 ? cells.toFixed(1) : Math.round(cells), all, nats: word.entropy.toFixed(2) });
      parts.gate.style.setProperty('--share', word.gate);
      parts['gate-value'].textContent = percent(word.gate, 0);
    },
  };
}
