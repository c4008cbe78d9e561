// What the model considered for the word of the moment: likeliest words, focus, gate.
import { askedAbout, captionOf } from '../model/state.js';
import { say } from '../model/strings.js';
import { chanceInWords, nameOf, percent, wordName } from '../model/wording.js';
import { isHeld, make, track } from './elements.js';

// ``branch``: asks how it goes on from another word; null where nobody answers.
export function createWordPanel(element, branch) {
  const panel = element.querySelector('.sat-word-panel');
  const list = panel.querySelector('.sat-bars');
  const [name, chance, focus, focusLine, gate, gateValue] = ['word', 'chance', 'focus', 'focus-line', 'gate', 'gate-value']
    .map((each) => panel.querySelector('.sat-word-panel-' + each));
  let shown = [];

  // A runner-up is a button; after a click, another one at its side has it said instead.
  function runnerUp(text, word) {
    const button = make('button');
    button.title = say('goOn', { word: nameOf(word) });
    button.append(text);
    button.addEventListener('click', () => {
      list.querySelectorAll('.sat-say').forEach((each) => each.remove());
      const instead = make('button', 'sat-say', say('sayInstead'));
      instead.addEventListener('click', () => branch(word.text));
      button.parentElement.append(instead);
      instead.focus();
    });
    return button;
  }

  function bar(word, written, asked) {
    const item = make('li', word.text === written ? 'sat-chosen' : '');
    const text = make('bdi', '', wordName(word.text));
    const number = make('span', 'sat-number', percent(word.chance));
    item.append(word.text === written || !asked ? text : runnerUp(text, word), track(word.chance), number);
    return item;
  }

  return {
    show({ word }, state) {
      const { data, chosen } = state;
      const asked = Boolean(branch) && askedAbout(state) === chosen; // else the next question is about another caption
      if (word === shown[0] && asked === shown[1]) return;
      if (isHeld(list) && state.words === shown[2]) return; // what is pointed at stays
      shown = [word, asked, state.words];
      panel.classList.toggle('sat-blank', !word);
      if (!word) return;
      name.textContent = nameOf(word);
      chance.classList.toggle('sat-unknown', word.chance === null);
      chance.textContent = chanceInWords(word, captionOf(state));
      const likely = word.alternatives.map(([text, share]) => ({ text, chance: share, end: text === '<end>' }));
      if (!likely.some(({ text }) => text === word.text)) likely.push(word);
      list.replaceChildren(...likely.map((each) => bar(each, word.text, asked)));
      const all = data.grid[0] * data.grid[1];
      const cells = Math.exp(word.entropy);
      focus.style.setProperty('--share', 1 - word.entropy / Math.log(all));
      focusLine.textContent = say('focusLine', {
        cells: cells < 10 ? cells.toFixed(1) : Math.round(cells), all, nats: word.entropy.toFixed(2) });
      gate.style.setProperty('--share', word.gate);
      gateValue.textContent = percent(word.gate, 0);
    },
  };
}
