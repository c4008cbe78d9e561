// How it works: the parts from photo to word, lit in step with playback; each opens one sentence and its equations.
import { litPart, PARTS } from '../model/explanations.js';
import { say } from '../model/strings.js';
import { make, setAttribute } from './elements.js';

export function createStrip(root) {
  const section = root.querySelector('.sat-how-it-works');
  const list = section.querySelector('ol');
  const panel = section.querySelector('.sat-part-panel');
  const buttons = PARTS.map((part) => {
    const item = make('li');
    const button = make('button', 'sat-part', say('parts')[part.name]);
    button.dataset.part = part.name;
    button.setAttribute('aria-expanded', 'false');
    button.setAttribute('aria-controls', panel.id);
    button.addEventListener('click', () => toggle(part, button));
    item.append(button);
    return button;
  });
  let lit = null;
  list.append(...buttons.map((button) => button.parentElement));

  // One part is open at a time.
  function toggle(part, button) {
    const opens = button.getAttribute('aria-expanded') === 'false';
    buttons.forEach((each) => setAttribute(each, 'aria-expanded', String(opens && each === button)));
    const formulas = part.formulas.map((formula) => make('code', '', formula));
    panel.replaceChildren(...(opens ? [make('p', '', say('partLines')[part.name]), ...formulas] : []));
  }

  return {
    // ``position``: of playback, in words.
    follow(state, position) {
      const part = litPart(state, position);
      if (part === lit) return;
      lit = part;
      buttons.forEach((button, index) => button.classList.toggle('sat-lit', index === part));
    },
  };
}
