// The answer beside its question: both captions, what differs in them, and how likely words became.
function createAnswer(root) {
  const section = root.querySelector('.sat-answer');
  const list = section.querySelector('.sat-versus');
  const change = createChange(root);

  function part(tag, name, text) {
    const made = document.createElement(tag);
    made.className = name;
    if (text) made.textContent = text;
    return made;
  }

  function row({ caption, words, name, flags }, weighed) {
    const item = document.createElement('li');
    const head = part('div', 'sat-versus-name');
    const line = part('p', 'sat-versus-line');
    const score = say('nats', { nats: signed(caption.log_prob.toFixed(1)) });
    head.append(part('strong', '', name), part('span', 'sat-number', score));
    words.forEach((word, index) => {
      const piece = part('span', (flags[index] ? 'sat-differs' : '') + (word.end ? ' sat-end' : ''));
      piece.append(part('bdi', '', word.end ? '■' : word.text));
      if (weighed) piece.append(part('small', '', percent(word.chance)));
      line.append(piece, ' ');
    });
    item.append(head, line);
    return item;
  }

  return {
    // ``pair``: the caption that plays (``own``) and its ``second``, or null.
    show(pair, changed) {
      section.hidden = !pair && !changed;
      change.show(changed);
      list.replaceChildren();
      section.querySelector('.sat-verdict').textContent = '';
      if (!pair) return;
      const { origin } = pair.own.caption;
      const weighed = [pair.own, pair.second].some(({ caption }) => caption.origin === 'own');
      list.append(row(pair.second, weighed), row(pair.own, weighed));
      const same = ![...pair.own.flags, ...pair.second.flags].includes(true);
      const lines = say(same ? 'sameLines' : 'otherLines');
      section.querySelector('.sat-verdict').textContent = lines[origin] || lines.search;
    },
  };
}
