// What an equation speaks of, tied to the picture: lines from the cell to its αᵢ, from the map to z, from z and h to the
// word. Drawn over everything, in the window's own pixels.
const NAMESPACE = 'http://www.w3.org/2000/svg';
const SWING = 60; // pixels that a line goes round a card
const CELLS = 12; // of the map's strongest, of which z is mostly made

export function createTies(root) {
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
