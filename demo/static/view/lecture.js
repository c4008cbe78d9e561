// In front of a class: full screen, large type, and the step's equations with this word's real numbers.
import { equations, knownAlready } from '../model/equations.js';
import { captionOf } from '../model/state.js';
import { make, press } from './elements.js';
import { createTies } from './ties.js';

// ``numbers``: see `createNumbers`; null on a page that nobody serves.
export function createLecture(element, store, numbers) {
  const list = element.querySelector('.sat-equations');
  const button = element.querySelector('.sat-full');
  const ties = createTies(element);
  const set = (lecture) => store.set(lecture ? { lecture } : { lecture, revealed: null, looking: false });
  let shown = '';

  list.addEventListener('pointerover', (event) => {
    const item = event.target.closest('li');
    store.set({ tied: item ? item.dataset.part : null });
  });
  list.addEventListener('pointerleave', () => store.set({ tied: null }));

  document.addEventListener('fullscreenchange', () => set(document.fullscreenElement === element));
  store.subscribe(['lecture', 'looking', 'revealed'], ({ lecture, looking, revealed }) => {
    element.classList.toggle('sat-lecture', lecture);
    element.classList.toggle('sat-looking', lecture && looking);
    element.classList.toggle('sat-revealing', lecture && revealed !== null);
    press(button, lecture);
  });

  // The equations up to the one that is revealed, all if none is; that one, or the one pointed at, is tied to the picture.
  function reveal({ revealed, tied }) {
    [...list.children].forEach((item, index) => {
      item.classList.toggle('sat-later', revealed !== null && index > revealed);
      item.classList.toggle('sat-now', index === revealed);
    });
    return revealed === null ? tied : list.children[revealed].dataset.part;
  }

  function card([name, formula, value, meaning]) {
    const item = make('li');
    item.dataset.part = name;
    for (const [tag, text] of [['code', formula], ['strong', value], ['span', meaning]]) {
      const part = make(tag, '', text);
      part.dir = 'auto';
      item.append(part);
    }
    return item;
  }

  // The cell pointed at, else of the chosen ones the first, else the strongest.
  function cellOf(word, { pointed, region, data }) {
    if (pointed) return pointed;
    if (region) return { row: region[0], column: region[1] };
    const strongest = word.alpha.indexOf(Math.max(...word.alpha));
    return { row: Math.floor(strongest / data.grid[1]), column: strongest % data.grid[1] };
  }

  // This word's numbers, null until they are here.
  function numbersOf(index, state) {
    if (!numbers || !captionOf(state)) return null;
    const asked = (position) => ({ run: state.data.run, index: state.chosen, position });
    const known = numbers.of(asked(index));
    if (known && index + 1 < state.words.length) numbers.of(asked(index + 1)); // so that the next word need not wait
    return known;
  }

  return {
    toggle() {
      const wanted = !store.get().lecture;
      if (wanted && element.requestFullscreen) element.requestFullscreen().catch(() => set(true));
      else if (!wanted && document.fullscreenElement) document.exitFullscreen();
      else set(wanted);
    },
    // One equation more, from the first on; after the last one, all without ties.
    reveal() {
      const { lecture, revealed } = store.get();
      const next = revealed === null ? 0 : revealed + 1;
      if (lecture && list.children.length) store.set({ revealed: next < list.children.length ? next : null });
    },
    looks() {
      const { lecture, looking } = store.get();
      if (lecture) store.set({ looking: !looking });
    },
    leave() {
      if (!document.fullscreenElement) set(false);
    },
    show({ word, index }, state) {
      if (!word || !state.lecture) return;
      const { grid } = state.data;
      const [cell, known] = [cellOf(word, state), numbersOf(index, state)];
      const cards = known ? equations(known, cell) : knownAlready(word, state.words[index - 1], cell, grid);
      if (JSON.stringify(cards) !== shown) list.replaceChildren(...cards.map(card));
      shown = JSON.stringify(cards);
      ties.draw(reveal(state), list, { word, index, cell, grid });
    },
  };
}
