// All captions the search found, best first; each can be played.
function createRace(element, on) {
  const section = element.querySelector('.sat-race');
  const list = element.querySelector('.sat-captions');

  function row(caption, index, best) {
    const item = document.createElement('li');
    const button = document.createElement('button');
    const text = document.createElement('bdi');
    const track = document.createElement('span');
    const number = document.createElement('span');
    button.type = 'button';
    text.textContent = caption.words.filter((word) => !word.end).map((word) => word.w).join(' ');
    track.className = 'sat-track';
    track.style.setProperty('--share', Math.exp(caption.log_prob - best));
    number.className = 'sat-number';
    number.textContent = say('nats', { nats: signed(caption.log_prob.toFixed(1)) });
    const origin = document.createElement('small');
    origin.textContent = originName(caption);
    button.append(origin, text, track, number);
    button.addEventListener('click', () => on.choose(index));
    item.append(button);
    return item;
  }

  return {
    fill({ captions, forgotten }) {
      section.hidden = captions.length < 2;
      const best = Math.max(...captions.map((caption) => caption.log_prob));
      list.replaceChildren(...captions.map((caption, index) => row(caption, index, best)));
      const kept = captions.filter(isAnswer).length;
      section.querySelector('.sat-forgotten').hidden = !forgotten;
      section.querySelector('.sat-forgotten').textContent = say('forgotten', { kept });
    },
    mark(chosen) {
      list.querySelectorAll('button').forEach((button, index) => {
        button.setAttribute('aria-pressed', String(index === chosen));
      });
    },
  };
}
