// In front of a class: full screen, large type, and the step's equations with this word's real numbers.
import { equations, knownAlready } from '../model/explanations.js';
import { captionOf } from '../model/state.js';
import { make, press } from './elements.js';

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

// What an equation speaks of, tied to the picture: lines from the cell to its αᵢ, from the map to z, from z and h to the
// word. Drawn over everything, in the window's own pixels.
const NAMESPACE = 'http://www.w3.org/2000/svg';
const SWING = 60; // pixels that a line goes round a card
const CELLS = 12; // of the map's strongest, of which z is mostly made

function createTies(root) {
  const field = root.querySelector('.sat-ties');
  const stage = root.querySelector('.sat-top .sat-stage');
  const caption = root.querySelector('.sat-top .sat-caption');
  let drawn = '';

  const box = (part) => part && part.getBoundingClientRect();
  const card = (list, name) => box(list.querySelector(`[data-part="${name}"]`));

  function cellAt(at, grid) {
    const { left, top, width, height } = box(stage);
    const row = Math.floor(at / grid[1]);
    return [left + ((at % grid[1]) + 0.5) * (width / grid[1]), top + (row + 0.5) * (height / grid[0])];
  }

  const edgeOf = ({ left, top, height }) => [left, top + height / 2];
  const topOf = ({ left, top, width }) => [left + width / 2, top];
  const footOf = ({ left, right, bottom }, [x]) => [Math.min(Math.max(x, left), right), bottom];

  // Pairs of points, each with how strong its line is.
  function tiesOf(name, list, { word, index, cell, grid }) {
    const own = card(list, name);
    const written = box(caption.querySelectorAll('.sat-word')[index]);
    const before = box(caption.querySelectorAll('.sat-word')[index - 1]);
    if (!own) return [];
    if (name === 'energy' || name === 'alpha') return [[cellAt(cell.row * grid[1] + cell.column, grid), edgeOf(own), 1]];
    if (name === 'context') {
      const strongest = [...word.alpha.keys()].sort((one, other) => word.alpha[other] - word.alpha[one]).slice(0, CELLS);
      return strongest.map((at) => [cellAt(at, grid), edgeOf(own), word.alpha[at] / word.peak]);
    }
    const from = (part) => part && [edgeOf(part), edgeOf(own), 1];
    if (name === 'gate') return [from(card(list, 'context'))];
    if (name === 'lstm') return [from(card(list, 'gate')), before && [topOf(before), edgeOf(own), 1]];
    return [from(card(list, 'gate')), from(card(list, 'lstm')), written && [footOf(own, topOf(written)), topOf(written), 1]];
  }

  // From a card to one below it round the left, else across; no line lies over a figure.
  function pathOf([[x0, y0], [x1, y1]]) {
    const [from, to] = Math.abs(x1 - x0) < 8 && y1 - y0 > SWING / 2 ? [x0 - SWING, x1 - SWING] : [(x0 + x1) / 2, (x0 + x1) / 2];
    return `M${x0} ${y0}C${from} ${y0} ${to} ${y1} ${x1} ${y1}`;
  }

  function pathWith(name, d, strength) {
    const path = document.createElementNS(NAMESPACE, 'path');
    path.setAttribute('class', name);
    path.setAttribute('d', d);
    path.style.strokeOpacity = 0.25 + 0.75 * strength;
    return path;
  }

  return {
    // The ties of the equation of this name; null for none.
    draw(name, list, moment) {
      const ties = name ? tiesOf(name, list, moment).filter(Boolean) : [];
      const paths = ties.map((tie) => [pathOf(tie), tie[2]]);
      const key = JSON.stringify(paths);
      if (key === drawn) return;
      drawn = key;
      field.setAttribute('viewBox', `0 0 ${window.innerWidth} ${window.innerHeight}`);
      field.setAttribute('preserveAspectRatio', 'none');
      field.replaceChildren(
        ...paths.map(([d, strength]) => pathWith('sat-tie-halo', d, strength)), ...paths.map(([d, strength]) => pathWith('sat-tie', d, strength)));
      field.dataset.part = name || '';
    },
  };
}
